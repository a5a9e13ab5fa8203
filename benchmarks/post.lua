-- A POST of the form in BENCH_BODY, or of one line after the other of the file BENCH_BODIES, with BENCH_AUTHORIZATION.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
wrk.headers["Authorization"] = os.getenv("BENCH_AUTHORIZATION")
local path = os.getenv("BENCH_BODIES")
if path then
  local lines = io.lines(path)
  request = function()
    return wrk.format(nil, nil, nil, lines() or "")
  end
else
  wrk.body = os.getenv("BENCH_BODY")
end
