"""Both documents of the API with schemathesis, by each kind of caller: no failure of ours, no answer that the document
does not tell of, nothing of a collection that the caller may not see."""
