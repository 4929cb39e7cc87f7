//! How operators, words and units are read, shown with all brackets.

use mliot::syntax::ast::{DeclarationKind, Expr, ExprKind, Number, StageKind, TimeBasis, UnaryOp, UnitExpr};

use super::accepted;

fn check(text: &str, expected: &str) {
    let file = accepted("reading", &format!("let it = {text}"));
    let DeclarationKind::Let(it) = &file.declarations[0].kind else { panic!("{text} is a let") };
    assert_eq!(shown(&it.value), expected, "{text}");
}

fn shown(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Null => "null".to_owned(),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Number(number) => digits(*number),
        ExprKind::Quantity(quantity) => format!("{}{}", digits(quantity.value), unit(&quantity.unit)),
        ExprKind::Text(text) => format!("{:?}", text.value),
        ExprKind::Time(time) => time.to_string(),
        ExprKind::Name(name) => name.name.to_string(),
        ExprKind::Call(call) => format!("{}({})", call.name.name, many(call.args.iter().map(|arg| &arg.value))),
        ExprKind::List(items) => format!("[{}]", many(items.iter())),
        ExprKind::Record(record) => format!("{{{}}}", many(record.fields.iter().map(|field| &field.value))),
        ExprKind::Range { low, high } => format!("({}..{})", shown(low), shown(high)),
        ExprKind::Unary { op: UnaryOp::Minus, operand } => format!("(-{})", shown(operand)),
        ExprKind::Unary { op: UnaryOp::Not, operand } => format!("(not {})", shown(operand)),
        ExprKind::Binary { op, left, right, .. } => format!("({} {} {})", shown(left), op.text(), shown(right)),
        ExprKind::IsNull { operand, negated } => format!("({} {})", shown(operand), if *negated { "given" } else { "null" }),
        ExprKind::If { condition, then, otherwise } => {
            format!("(if {} then {} else {})", shown(condition), shown(then), shown(otherwise))
        }
        ExprKind::Match { subject, arms } => format!("(match {} {})", shown(subject), many(arms.iter().map(|arm| &arm.value))),
        ExprKind::Tensor(_) | ExprKind::Columns(_) => "columns".to_owned(),
        ExprKind::Paren(inner) => shown(inner),
    }
}

fn many<'e>(items: impl Iterator<Item = &'e Expr>) -> String {
    items.map(shown).collect::<Vec<_>>().join(", ")
}

fn digits(number: Number) -> String {
    number.as_f64().to_string()
}

fn unit(unit: &UnitExpr) -> String {
    unit.factors.iter().map(|factor| format!("<{}^{}>", factor.unit.name, factor.power)).collect()
}

#[test]
fn operators_bind_as_the_language_says() {
    check("-x ^ 2", "(-(x ^ 2))");
    check("2 ^ 3 ^ 2", "(2 ^ (3 ^ 2))");
    check("x ^ -2", "(x ^ (-2))");
    check("1 + 2 * 3 - 4", "((1 + (2 * 3)) - 4)");
    check("a else b else c", "(a else (b else c))");
    check("a + b else c > d", "(((a + b) else c) > d)");
    check("x in 1..n - 1", "(x in (1..(n - 1)))");
    check("a + b is null", "((a + b) null)");
    check("not a == b", "(not (a == b))");
    check("not x is null", "(not (x null))");
    check("x not in [1]", "(x not in [1])");
    check("a or b and not c", "(a or (b and (not c)))");
    check("a is not null and b", "((a given) and b)");
}

#[test]
fn every_else_finds_its_if() {
    check("if a then x else y else z", "(if a then x else (y else z))");
    check("if a then if b then x else y else z", "(if a then (if b then x else y) else z)");
    check("if a else b then x else y", "(if (a else b) then x else y)");
    check("if a then x else y + 1 > 2", "(if a then x else ((y + 1) > 2))");
    check("match x { 1 -> a\n else -> b }", "(match x a, b)");
    check("match x { 1 -> a\n else b\n else -> c }", "(match x (a else b), c)");
}

#[test]
fn units_end_where_a_word_does() {
    check("5m/speed", "(5<m^1> / speed)");
    check("5m / s", "(5<m^1> / s)");
    check("5m/s", "5<m^1><s^-1>");
    check("9.81m/s^2", "9.81<m^1><s^-2>");
    check("5m^2", "5<m^2>");
    check("5m ^ 2", "(5<m^1> ^ 2)");
    check("60s/min", "60<s^1><min^-1>");
    check("20% < x", "(20<percent^1> < x)");
    check("0%..50%", "(0<percent^1>..50<percent^1>)");
    check("1e-4..1e-2", "(0.0001..0.01)");
    check("{ a: 5\n m: 3 }", "{5, 3}");
}

#[test]
fn words_are_names_outside_their_place() {
    let text = "source s { columns { by: int }; recorded csv(\"a\"); time every by by }\nstream t = s\n  | where live id live";
    let file = accepted("words", text);
    let DeclarationKind::Source(source) = &file.declarations[0].kind else { panic!("a source") };
    let Some(TimeBasis::At { time, by: Some(by) }) = source.time.as_ref().map(|time| &time.basis) else {
        panic!("a clock each")
    };
    assert_eq!((shown(time).as_str(), by.columns[0].name.as_str()), ("every", "by"));
    let DeclarationKind::Stream(stream) = &file.declarations[1].kind else { panic!("a stream") };
    assert!(matches!(stream.pipe.stages[0].kind, StageKind::Where(_)));
    assert_eq!(stream.pipe.stages[0].id.as_ref().map(|id| id.name.as_str()), Some("live"));
}
