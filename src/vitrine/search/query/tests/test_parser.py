"""Contract 05 sections 2 and 11, line by line."""

import pytest

from vitrine.search.query import Limits, NoticeKind, QuerySyntaxError, QueryTooLarge, parse, plain_words
from vitrine.search.query.tree import (
    And,
    Comparison,
    Concept,
    Everything,
    Exact,
    Except,
    FieldKey,
    Flag,
    InField,
    Native,
    NativeKey,
    Node,
    Operator,
    Or,
    Phrase,
    TechnicalKey,
    Term,
    Text,
)

FOO, BAR, BAZ = Text("foo"), Text("bar"), Text("baz")
A, B, C = Text("a"), Text("b"), Text("c")


def both(*parts: Node) -> And:
    return And(parts)


def either(*parts: Node) -> Or:
    return Or(parts)


def in_field(name: str, term: Term | str) -> InField:
    return InField(FieldKey(name), Text(term) if isinstance(term, str) else term)


def equal(name: str, value: str) -> Comparison:
    return Comparison(FieldKey(name), Operator.EQUAL, value)


def native(key: Native, value: str, operator: Operator = Operator.EQUAL) -> Comparison:
    return Comparison(NativeKey(key), operator, value)


VECTORS: list[tuple[str, Node]] = [
    # section 11, in its order
    ("foo", FOO),
    ("foo (bar)", Text("foo", "bar")),
    ('foo "bar"', both(FOO, Phrase("bar"))),
    ('"foo" bar', both(Phrase("foo"), BAR)),
    ("[foo (bar)]", Concept("foo", "bar")),
    (r'r"\"foo\""', Exact('"foo"')),
    ("(foo OR bar) AND baz", both(either(FOO, BAR), BAZ)),
    ("foo AND (bar EXCEPT baz)", both(FOO, Except(BAR, (BAZ,)))),
    ("foo ≤ 42", Comparison(FieldKey("foo"), Operator.AT_MOST, "42")),
    ('foo < "2015/01/01"', Comparison(FieldKey("foo"), Operator.BELOW, "2015/01/01")),
    ("foo:[bar]", in_field("foo", Concept("bar"))),
    ("foo:bar baz", both(in_field("foo", "bar"), BAZ)),
    ("foo bar:baz", both(FOO, in_field("bar", "baz"))),
    ("field.id:foo", in_field("id", "foo")),
    ("collection:foo bar", both(native(Native.COLLECTION, "foo"), BAR)),
    ("recordid:90", native(Native.RECORD_ID, "90")),
    ('created_on = "2015/01"', native(Native.CREATED_ON, "2015/01")),
    ('created_on = "2015/1/2 1.3.5"', native(Native.CREATED_ON, "2015/1/2 1.3.5")),
    ("flag.foo:1", Flag("foo", True)),
    ("flag.foo bar:true", both(Text("flag.foo"), in_field("bar", "true"))),
    ("true", Text("true")),
    ("exif.MimeType:image/jpeg", Comparison(TechnicalKey("MimeType"), Operator.EQUAL, "image/jpeg")),
    ("fieldOne:foo", in_field("fieldOne", "foo")),
    ("INA", Text("INA")),
    ("ARGENT OR (MÉTAUX PRECIEUX)", either(Text("ARGENT"), Text("MÉTAUX PRECIEUX"))),
    ("foo  AND  bar", both(FOO, BAR)),
    ("foo AND", Text("foo AND")),
    ("NOT a", Text("NOT a")),
    ('"a" "b"', both(Phrase("a"), Phrase("b"))),
    ('"My Field" = foo', equal("My Field", "foo")),
    ("Title=foo bar", both(equal("Title", "foo"), BAR)),
    ('geolocation="48.8 2.3 10km"', native(Native.GEOLOCATION, "48.8 2.3 10km")),
    ("http://x.y/z", in_field("http", "//x.y/z")),
    # sections 1 and 2
    ("", Everything()),
    (" \t\n", Everything()),
    ("foo bar", Text("foo bar")),
    ("  foo \t bar ", Text("foo bar")),
    ("android", Text("android")),
    ('foo"bar"', Text('foo"bar"')),
    ("* ? + - ! & | ~ NOT", Text("* ? + - ! & | ~ NOT")),
    ("foo!=3", equal("foo!", "3")),
    ("a AND b OR c", either(both(A, B), C)),
    ("a OR b AND c", either(A, both(B, C))),
    ("a EXCEPT b OR c", Except(A, (either(B, C),))),
    ("a EXCEPT b EXCEPT c", Except(A, (B, C))),
    ("x:1 foo OR bar", either(both(in_field("x", "1"), FOO), BAR)),
    ("a ET b OU c SAUF d", Except(either(both(A, B), C), (Text("d"),))),
    ("a et b ou c sauf d", Except(either(both(A, B), C), (Text("d"),))),
    ("a and b or c except d", Except(either(both(A, B), C), (Text("d"),))),
    ("AND foo", Text("AND foo")),
    ("fooAND bar", Text("fooAND bar")),
    ("foo AND(bar)", Text("foo AND", "bar")),
    ("foo x:1 bar", both(FOO, in_field("x", "1 bar"))),
    ("foo x:1 bar y:2", both(FOO, in_field("x", "1 bar"), in_field("y", "2"))),
    ("foo AND x:1 bar", both(FOO, in_field("x", "1"), BAR)),
    ('foo x:"a" b', both(FOO, in_field("x", both(Phrase("a"), B)))),
    ("foo x=1 bar", both(FOO, equal("x", "1"), BAR)),
    ("foo collection:x bar", both(FOO, native(Native.COLLECTION, "x"), BAR)),
    ("x: foo", in_field("x", "foo")),
    ("x <  3", Comparison(FieldKey("x"), Operator.BELOW, "3")),
    ("x>=3", Comparison(FieldKey("x"), Operator.AT_LEAST, "3")),
    ("x≥3", Comparison(FieldKey("x"), Operator.AT_LEAST, "3")),
    ("x>3", Comparison(FieldKey("x"), Operator.ABOVE, "3")),
    ("a (b OR c)", Text("a", "b OR c")),
    ("x:1 (a OR b)", both(in_field("x", "1"), either(A, B))),
    ("x:1 [t]", both(in_field("x", "1"), Concept("t"))),
    ("[t] x:1", both(Concept("t"), in_field("x", "1"))),
    ("[ t ]", Concept("t")),
    ("[a AND b]", Concept("a AND b")),
    ('["a b" c]', Concept("a b c")),
    ('x:"foo bar"', in_field("x", Phrase("foo bar"))),
    ('x:r"foo bar"', in_field("x", Exact("foo bar"))),
    ("type:image", native(Native.TYPE, "image")),
    ("type=image", native(Native.TYPE, "image")),
    ("database:Demo", native(Native.DATABASE, "Demo")),
    ("id:3", native(Native.RECORD_ID, "3")),
    ("id<3", native(Native.RECORD_ID, "3", Operator.BELOW)),
    ("sha256:ab", native(Native.SHA256, "ab")),
    ('uuid:"1-2"', native(Native.UUID, "1-2")),
    ("created_at>2015", native(Native.CREATED_ON, "2015", Operator.ABOVE)),
    ("updated_on<=2015", native(Native.UPDATED_ON, "2015", Operator.AT_MOST)),
    ("updated_at=2015", native(Native.UPDATED_ON, "2015")),
    ("field.type:x", in_field("type", "x")),
    ('field."My Field":x', in_field("My Field", "x")),
    ("Type:x", in_field("Type", "x")),
    ("typex:foo", in_field("typex", "foo")),
    ("meta.Width>100", Comparison(TechnicalKey("Width"), Operator.ABOVE, "100")),
    ("flag.foo:true", Flag("foo", True)),
    ("flag.foo:false", Flag("foo", False)),
    ("flag.foo:0", Flag("foo", False)),
    ("flag.foo:yes", in_field("flag.foo", "yes")),
    ("flag.foo:truest", in_field("flag.foo", "truest")),
    ("x=_unset_", equal("x", "_unset_")),
    ('field.X="_unset_"', equal("X", "_unset_")),
    # section 8: clauses of facets, and of older servers
    ("database=Demo", native(Native.DATABASE, "Demo")),
    ('database:"x"', native(Native.DATABASE, "x")),
    ("field.X = Y", equal("X", "Y")),
    ('field.MotsCles="USA"', equal("MotsCles", "USA")),
    (r'field.X="a \"b\" c"', equal("X", 'a "b" c')),
    (r'field.X="12\" vinyl"', equal("X", '12" vinyl')),
    (r'field.X="a\\b \"c\""', equal("X", r"a\b " + '"c"')),
    ('field.X="C:\\"', equal("X", "C:\\")),
    (r'field.X="a\\b"', equal("X", r"a\\b")),  # the plain reading does not fail
    # blank texts are ignored
    ('a " " "b"', both(A, Phrase("b"))),
    ('" "', Everything()),
    ('" " OR a', A),
    ('a EXCEPT " "', A),
    ('" " EXCEPT a', Except(Everything(), (A,))),
]


@pytest.mark.parametrize(("text", "tree"), VECTORS)
def test_a_query_has_its_meaning(text: str, tree: Node) -> None:
    assert parse(text).tree == tree


@pytest.mark.parametrize(("text", "tree"), VECTORS)
def test_what_the_grammar_matches_needs_no_notice(text: str, tree: Node) -> None:
    assert parse(text).notices == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("foo)", "foo"),
        ("Title:(a b)", "Title a b"),
        ("(a) b", "a b"),
        ("(a) x:1", "a x 1"),
        ("[t] b", "t b"),
        ("foo [t]", "foo t"),
        ("x:y:z", "x y z"),
        ("field :v", "field v"),
        ("foo:", "foo"),
        ("[a:b]", "a b"),
        ("a (b (c))", "a b c"),
        ("((a)", "a"),
        ("a AND b)", "a AND b"),
        ("(foo OR )", "foo OR"),
    ],
)
def test_words_and_brackets_that_are_no_query_are_plain_words_with_a_notice(text: str, words: str) -> None:
    query = parse(text)
    assert [notice.kind for notice in query.notices] in ([], [NoticeKind.READ_AS_WORDS])
    assert query.tree == Text(words)


def test_the_notice_says_where_the_query_went_wrong() -> None:
    (notice,) = parse("(cat) dog").notices
    assert notice.at == 6
    assert "AND, OR or EXCEPT" in notice.text


def test_a_context_after_quotes_is_ignored_with_a_notice() -> None:
    query = parse('"foo" (bar)')
    assert query.tree == Phrase("foo")
    assert [(notice.kind, notice.at) for notice in query.notices] == [(NoticeKind.CONTEXT_IGNORED, 6)]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ('"foo', 0),
        ('cat AND "foo', 8),
        ("a < b < c", 6),
        ("foo =", 5),
        ("foo = )", 6),
        ("< 3", 0),
        ('Title=r"x"', 6),
        ('(a) "b"', 4),
        ('a ("b")', 2),
        ("cat (Title=foo)", 4),
        ('x:" "', 2),
        ('[" "]', 0),
        ("()", 1),
        ("(", 1),
        (":", 0),
        ("foo (a = b", 4),
        ("a \ud800 b", 2),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_place(text: str, at: int) -> None:
    with pytest.raises(QuerySyntaxError) as refused:
        parse(text)
    assert refused.value.detail == "Provided query is not valid"
    assert refused.value.at == at
    assert refused.value.problem
    assert refused.value.remedy


def test_a_refusal_names_the_field_of_the_input() -> None:
    with pytest.raises(QuerySyntaxError) as refused:
        parse("foo =")
    assert refused.value.field == "query"


def test_the_places_of_names_and_values_are_kept() -> None:
    tree = parse('cat AND ("My Field":dog OR meta.ISO>3)').tree
    assert isinstance(tree, And)
    group = tree.parts[1]
    assert isinstance(group, Or)
    in_my_field, iso = group.parts
    assert isinstance(in_my_field, InField)
    assert isinstance(iso, Comparison)
    assert (in_my_field.key.at, in_my_field.at, iso.key.at) == (9, 9, 27)


def test_a_query_is_refused_when_it_is_too_long() -> None:
    limits = Limits(characters=10)
    assert parse("x" * 10, limits).tree == Text("x" * 10)
    with pytest.raises(QueryTooLarge, match="at most 10 characters"):
        parse("x" * 11, limits)


@pytest.mark.parametrize(
    "query", ["a b c", "a AND b AND c", "x:1 y:2 z", '"a" "b" c', "[a] OR [b] OR [c]", "(a b) OR c"]
)
def test_a_query_is_refused_when_it_has_too_many_words_and_conditions(query: str) -> None:
    parse(query, Limits(clauses=6))
    with pytest.raises(QueryTooLarge, match="at most 2 words and conditions"):
        parse(query, Limits(clauses=2))


def test_plain_words_are_counted_as_well() -> None:
    with pytest.raises(QueryTooLarge):
        parse("a) b c", Limits(clauses=2))


def test_parentheses_nest_to_a_bound() -> None:
    limits = Limits(depth=3)
    assert parse("(((a)))", limits).tree == A
    with pytest.raises(QueryTooLarge, match="at most 3 deep") as refused:
        parse("((((a))))", limits)
    assert refused.value.at == 3


def test_groups_beside_each_other_do_not_count_as_nested() -> None:
    assert parse("(a) OR (b) OR (c)", Limits(depth=1)).tree == either(A, B, C)


@pytest.mark.parametrize("text", ['"', "(((", "a < b < c", ' "" ', ":", 'r"', "a \udfff"])
def test_plain_words_can_be_made_of_anything(text: str) -> None:
    words = plain_words(text)
    assert words is None or parse(words.words).tree == words


def test_plain_words_drop_punctuation() -> None:
    assert plain_words('cat = "dog') == Text("cat dog")
