"""Hostile values: what a request may hold in place of a good value, by kind."""

DEEP_JSON = b"[" * 3_000
DEEP_OBJECT = b'{"a":' * 3_000 + b"1" + b"}" * 3_000
DATES = (
    "Mon, 01 Jan 99999999999 00:00:00 GMT", "Mon, 01 Jan 10000 00:00:00 GMT", "Mon, 01 Jan 0000 00:00:00 GMT",
    "Mon, 01 Jan 0001 00:00:00 +2359", "Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 32 Jan 2026 25:61:61 GMT",
    "Mon, 01 Jan 2026 00:00:00 +999999999999", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "0",
    "9" * 400, "-1", "2026-01-01T00:00:00Z", "0000-00-00", "9999-12-31T23:59:60+99:99", "2026-02-30", "today", ",",
    "Mon,",
    "Mon, 01 Jan 2026 -1:-1:-1 GMT", "\u0664\u0662", "20260101", "2026-W01-1",
)  # fmt: skip
NUMBERS = (
    "0", "-0", "-1", "+1", "1_000", " 1", "1 ", "1.0", "1e3", "1e400", "-1e400", "NaN", "Infinity", "-Infinity", "0x10",
    "00000000000001", str(2**31), str(2**31 - 1), str(-(2**31)), str(2**32), str(2**53 + 1), str(2**62), str(2**63 - 1),
    str(2**63), str(-(2**63)), str(-(2**63) - 1), str(2**64), "9" * 19, "9" * 40, "9" * 41, "9" * 4_301, "1" * 5_000,
    "\u0661\u0662", "\u00b2", "\u2460", "\u0be7", "\uff11", "1\x00", "1\n", "",
)  # fmt: skip
TEXTS = (
    "", " ", "\x00", "a\x00b", "\x01\x02\x1f", "\x7f\x80\x9f", "\r\n", "a\r\nX-Set: 1", "\x0b\x0c", "\ufffe\uffff",
    "\ufdd0", "\u202egpj.exe", "\u2028\u2029", "\u200d", "\U0001f600", "\U0010ffff", "e\u0301" * 50, "\ufeff",
    "\u0130\u0131",
    "\u0149\ufb03", "'", '"', "\\", "`", "<script>alert(1)</script>", "</script><!--", "]]>", "&amp;&#0;&#x0;", "%",
    "%%", "%s",
    "%00", "%ff", "{}", "{0}", "{x.__class__}", "$", "*", "?", "[", "]", "[[", "(", ")", "((((", "/", "//",
    "../../etc/passwd",
    "a" * 300, "\u00e9" * 300, "A" * 70_000, "null", "None", "true", "false", "undefined", "on", ";", ",", "a;b=c",
    "=", "&",
    "urn:ietf:wg:oauth:2.0:oob", "AND", "OR", "NOT", "a AND", "title:", 'title="', "a:b:c", "\"'\"'", "-", "--",
    "field=[1 TO",
    "a~2", "a*b?c", "recordid=99999999999999999999999", "created_on>99999-99-99", "created_on:", "x<", "x>=1e999",
    "(" * 500,
    "NOT " * 500, '"' * 501, "a " * 3_000,
)  # fmt: skip
ADDRESSES = (
    "http://", "http://[", "http://[::1", "http://[::1]:99999/", "http://a:b@c", "http://x:port/", "//",
    "//evil.example",
    "/\\evil.example", "javascript:alert(1)", "data:,x", "file:///etc/passwd", "urn:ietf:wg:oauth:2.0:oob",
    "urn:ietf:wg:oauth:2.0:oob:auto", "urn:", "urn:x", "com.example.app:/", "com.example.app:", "a:", ":", "http:",
    "https:",
    "http:///x", "http://\u00e9.example/", "http://xn--/", "http://xn--\u00e9/", "http://" + "a" * 64 + ".example/",
    "http://" + "a." * 200 + "example/", "http://\u2100.example/", "http://127.0.0.1:0/", "http://127.1/", "http://0/",
    "http://0x7f.1/", "http://999.999.999.999/", "http://1.2.3/", "https://x.example/#f", "https://x.example/ a",
    "https://x.example/\x00", "https://x.example/%", "https://x.example/%zz", "https://x.example:/",
    "https://x.example:-1/",
    "https://x.example:99999999999/", "https://*.example/", "http://[fe80::1%25eth0]/", "http://[v1.x]/",
    "http://\u0661.example/", "https://x.example/\ud7ff", "https://x.example/" + "a" * 5_000, "mailto:a@b",
    "https://@/", "https://:1/",
    "https://.example/", "https://example./", "https://-a.example/", "http://\uff0f/", "http://dam.test/embed/?url=[",
)  # fmt: skip
JSON_VALUES = (
    b"null", b"true", b"0", b"-0", b"1e400", b"-1e400", b"NaN", b"Infinity", b"1" * 5_000, b"18446744073709551616",
    b"1.5",
    b"9223372036854775808", b"1e-400", b'""', b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\u0000"', b'"\\x"', b'"\xff"',
    b'"\xed\xa0\x80"',
    b"[]", b"{}", b"[[]]", b'[{"a":[]}]', b'{"":""}', b'{"a":1,"a":2}', b'{"\\ud800":1}', b'{"\xff":1}',
    b'{"\\u0000":1}',
    b"[null]", b"[1,\"a\",{}]", b'["urn:ietf:wg:oauth:2.0:oob"]', b'["http://["]', b"tru", b"{", b'{"a"', b'"', b"'",
    b"", b" ",
    DEEP_JSON, DEEP_OBJECT, b"[" * 3_000 + b"]" * 3_000, b'"' + b"a" * 70_000 + b'"', b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b"[" + b"0," * 9_000 + b"0]", b'"\\ud83d\\ude00"', b'"\xf4\x90\x80\x80"', b"/**/{}", b"{} {}", b'{"a":1,}',
)  # fmt: skip
JSON_NUMBERS = (
    *(value for value in JSON_VALUES if value[:1] in b"-0123456789NI"),
    b'"x"',
    b"[]",
    b"null",
    b"[1,2]",
)
RAW_BYTES = (
    b"%", b"%z", b"%0", b"%00", b"%0d%0a", b"%ff", b"%c3", b"%c3%28", b"%ed%a0%80", b"%f4%90%80%80", b"%u0041",
    b"%25%32%35", b"+",
    b"%2e%2e%2f", b"..%2f", b"..;/", b"%2F", b"%5c", b"\xff", b"\xc3\xa9", b"=", b"==", b"&", b"&&", b"a&b", b";",
    b"[", b"]", b"[]",
    b"[[]]", b"a[", b"a]", b"a[]", b"a[b][c]", b"a" + b"[x]" * 9, b"?", b"??", b"{", b"|", b"^", b'"', b"`", b"<",
    b"\\",
)  # fmt: skip
BRACKETS = ("[]", "[", "]", "[0]", "[a]", "[a][b]", "[][]", "[" + "9" * 30 + "]", "[-1]", "[\u0663]", "[\u00b2]",
"[a" * 7, "[x]" * 7,
            ".x", "[\x00]", "[[]]", "[]x", " ")  # fmt: skip
CONTENT_TYPES = (
    b"", b"application/json", b"application/json; charset=utf-16", b"application/x-www-form-urlencoded", b"text/plain",
    b"application/x-www-form-urlencoded; charset=utf-7", b"application/x-www-form-urlencoded; charset=utf-16",
    b"application/x-www-form-urlencoded; charset=latin1", b"application/x-www-form-urlencoded; charset=\xff",
    b"application/x-www-form-urlencoded; charset=idna", b"application/x-www-form-urlencoded; charset=base64_codec",
    b"application/x-www-form-urlencoded; charset=", b"application/x-www-form-urlencoded; charset=\"",
    b"multipart/form-data",
    b"multipart/form-data; boundary=", b"multipart/form-data; boundary=\"", b"multipart/form-data; boundary=\xff",
    b";", b"/", b"\xff",
    b"multipart/form-data; boundary=" + b"x" * 300, b"multipart/form-data; boundary=frontier; charset=utf-7",
    b"multipart/form-data; boundary=frontier; boundary=x", b"multipart/form-data; boundary*=utf-8''frontier",
    b"multipart/form-data; boundary*0=fron; boundary*1=tier", b"multipart/form-data; boundary*=x'y'%zz",
    b"application/merge-patch+json", b"application/octet-stream", b"multipart/mixed; boundary=frontier",
    b"APPLICATION/JSON",
)  # fmt: skip
RANGES = (
    b"bytes=0-", b"bytes=-1", b"bytes=-0", b"bytes=5-1", b"bytes=0-0,2-3", b"bytes=" + b"9" * 39 + b"-",
    b"bytes=-" + b"9" * 39,
    b"bytes=" + b"9" * 5_000 + b"-", b"bytes=-", b"bytes=a-b", b"lines=1-2", b"bytes", b"", b"\xff", b"bytes=\xb2-\xb3",
    b"bytes=" + b"0-0," * 500 + b"1-1", b"bytes=1-2-3", b"bytes=0-1,", b"items=0-", b"bytes==0-1",
)  # fmt: skip
ACCEPTS = (
    b"", b"*/*", b"application/json", b"application/yaml", b"text/javascript", b"text/html", b"image/webp",
    b"application/xml",
    b"application/vnd.phraseanet.record-extended+json", b"application/vnd.phraseanet.record-extended+yaml",
    b"text/*;q=nan",
    b"application/vnd.phraseanet.record-extended+jsonp", b"application/json;q=1e400", b"application/json;q=-1",
    b"*/*;q=inf", b"\xff",
    b"application/json;q=nan", b"application/json;q=0", b";q=1", b",,,", b"a/b/c", b"/" * 300,
    b"application/json;q=1." + b"9" * 5_000,
)  # fmt: skip
AUTHORIZATIONS = (
    b"", b"Bearer", b"Bearer ", b"Bearer \xff\xfe", b"Bearer " + b"a" * 9_000, b"OAuth x", b"Basic", b"Basic !",
    b"Basic gA==",
    b"Basic Og==", b"Basic //86//8=", b"Basic YTpi", b"Basic YSUwMDpiJTAw", b"Basic JWZmOiVmZg==", b"Basic AAA6AAA=",
    b"Bearer a b", b"Bearer vit_at_",
    b"Bearer vit_at_" + b"0" * 36, b"bearer\tx", b"Digest username=\"x\"", b"Negotiate \x80", b"\xff\xfe",
    b"Bearer \xc3\xa9", b"=",
    b"Basic " + b"A" * 9_000, b"Token x", b"DPoP x", b"Basic w6k6w6k=",
)  # fmt: skip
COOKIES = (
    b"", b"=", b";", b"vitrine", b"vitrine=", b"vitrine=\xff\xfe", b'vitrine="\\777"', b'vitrine="\\',
    b"vitrine=a; vitrine=b",
    b"vitrine-visitor=\xff", b'vitrine-visitor="\\000"', b"vitrine-visitor=a b", b"\xff=\xff",
    b"vitrine=" + b"a" * 6_000, b"$Version=1; a=b", b'a="b;c"',
    b"vitrine=%00", b"vitrine=\xc3\xa9", b'vitrine="\\141\\012\\015"', b'vitrine-visitor="\\012Set-Cookie: a"',
)  # fmt: skip
METHODS = (
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "MKCOL", "REPORT",
    "PURGE", "SEARCH",
    "LINK", "UNLINK", "QUERY", "LOCK",
)  # fmt: skip
FILES = (b"", b"\x00", b"\xff\xd8\xff\xe0", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7", b"<svg", b"a" * 3_000,
b"PK\x03\x04", b"RIFF\x00\x00\x00\x00WEBP")  # fmt: skip
FILENAMES = (
    b"a.jpg", b"", b"\xff.jpg", b"..", b"/", b"../../x", b"a\x00b.jpg", b"a" * 400 + b".jpg", b"a\\\"b.jpg", b".",
    b"CON", b"a\xe2\x80\xaegpj.exe",
    b"%00", b"a\tb", b"a.", b".jpg", b"\xed\xa0\x80.png",
)  # fmt: skip
HEADERS: dict[bytes, tuple[bytes, ...]] = {
    b"range": RANGES, b"accept": ACCEPTS, b"authorization": AUTHORIZATIONS, b"cookie": COOKIES,
    **dict.fromkeys(
        (b"if-modified-since", b"if-unmodified-since", b"if-range", b"date", b"expires"),
        tuple(date.encode() for date in DATES),
    ),
    b"if-none-match": (b"*", b"", b"W/", b'"', b'"\xff"', b"," * 2_000, b'W/"x", "y'),
    b"if-match": (b"*", b"", b'"1-0"', b'"\xff"', b"," * 2_000, b'W/"1-1"'),
    b"accept-language": (b"", b"\xff", b"fr;q=nan", b"*", b"," * 2_000, b"fr-\xc3\xa9", b"zh;q=1e999"),
    b"accept-encoding": (b"\xff", b"gzip;q=nan", b"*;q=0", b"identity;q=0"),
    b"origin": (b"", b"null", b"\xff", b"http://[", b"http://dam.test", b"a" * 400, b"http://\xc3\xa9",
    b"https://notes.example.com"),
    b"referer": (b"", b"\xff", b"http://["), b"host": (b"dam.test", b"\xff", b"[", b"a" * 300, b"dam.test:99999",
    b"[::1", b"x y"),
    b"x-forwarded-for": (b"\xff", b"1.2.3.4, [", b"," * 2_000, b"::1%eth0"), b"x-forwarded-proto": (b"\xff",
    b"https,http"),
    b"x-forwarded-host": (b"\xff", b"["), b"forwarded": (b"for=", b'for="[', b"\xff"),
    b"x-requested-with": (b"XMLHttpRequest", b"\xff"), b"sec-fetch-site": (b"same-origin", b"\xff"),
    b"hx-request": (b"true",),
    b"user-agent": (b"", b"\xff" * 400, b"Phraseanet SDK Player", b"\x1b[31m"), b"expect": (b"200-ok",),
    b"upgrade-insecure-requests": (b"1",),
    b"access-control-request-method": (b"", b"\xff", b"GET", b"TRACE"), b"access-control-request-headers": (b"\xff",
    b"," * 2_000, b"authorization"),
    b"content-encoding": (b"gzip", b"\xff"), b"content-disposition": (b"\xff",), b"x-http-method-override": (b"DELETE",
    b"\xff"),
    b"content-length": (b"-1", b"x", b"\xb2", b"9" * 30, b"0"), b"x-request-id": (b"\xff" * 300,), b"dpop": (b"x",),
}  # fmt: skip
# Headers beside which the answer stays what it would be, as far as a route goes by the rules.
HARMLESS = (
    b"if-modified-since", b"if-modified-since", b"if-unmodified-since", b"if-range", b"if-range", b"range",
    b"if-none-match",
    b"accept-language", b"accept-encoding", b"referer", b"user-agent", b"x-forwarded-for", b"x-forwarded-proto",
    b"forwarded", b"x-request-id", b"dpop", b"date", b"access-control-request-headers", b"accept",
)  # fmt: skip
