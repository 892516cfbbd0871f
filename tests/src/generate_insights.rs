//! Random events that the insights read, and where sessions come from: few pages, messages, elements and
//! fields, so that they collide, with values missing, of another type and at the edges of what counts.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// An event but for its instant.
#[derive(Debug, Clone)]
pub struct Insight {
    /// Its type.
    pub name: String,
    /// Its page.
    pub url: Option<String>,
    /// What else is known of it.
    pub data: Option<Value>,
}

type Field = (&'static str, BoxedStrategy<Value>);

/// An event that an insight reads.
pub fn insight() -> impl Strategy<Value = Insight> {
    let clicks = vec!["rage_click", "rage_click", "dead_click", "phantom_click"];
    let errors = vec!["js_exception", "js_exception", "promise_rejection", "console_error", "console_warning"];
    let element = || vec![("selector", element()), ("text", text(&["Buy", ""]))];
    let error = || vec![("message", message()), ("line", number(&[1.0])), ("stack", text(&["at f"]))];
    let abandon = || vec![("form", form()), ("last_field", input()), ("time_spent_ms", milliseconds())];
    let hesitation = || vec![("form", form()), ("field", input()), ("hesitation_ms", milliseconds())];
    prop_oneof![
        3 => of(vec!["page_view"], vec![("title", text(&["Home"]))]),
        2 => of(clicks, element()),
        3 => of(errors, error()),
        2 => of(vec!["form_abandon"], abandon()),
        2 => of(vec!["field_hesitation"], hesitation()),
        2 => of(vec!["reading_behavior"], reading()),
        4 => of(vec!["seo_diagnostics"], diagnostics()),
        2 => of(vec!["web_vitals"], vitals()),
        1 => of(vec!["frustration_score"], vec![("score", number(&[78.0]))]),
    ]
}

/// Where a session comes from, as it is stored: without what is secret in it.
pub fn referrer() -> impl Strategy<Value = String> {
    let known = select(vec![
        "https://google.com",
        "https://www.google.co.uk/search",
        "https://duckduckgo.com/",
        "https://m.facebook.com/",
        "https://t.co/abc",
        "https://www.youtube.com/watch",
        "https://www.amazon.de/",
        "https://shop.example/cart",
        "https://www.shop.example/",
        "https://other.example",
        "https://WWW.Partner.example:8443/a",
        "http://partner.example/",
        "android-app://com.slack/",
        "partner.example",
        "javascript:alert(1)",
        "",
        "https://",
    ]);
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => r"(https?://)?[\PC--?#@]{0,20}"]
}

/// The five campaign parameters.
pub fn campaign() -> impl Strategy<Value = [Option<String>; 5]> {
    let of = |values: &[&str]| {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        option::weighted(0.4, select(values))
    };
    [
        of(&["google", "Google", "facebook", "newsletter Ü", "(direct)", "", " ", "(other)"]),
        of(&["cpc", "CPC", "organic", "email", "social", "display", "affiliate", "sms", "(none)", ""]),
        of(&["spring", "eshop", "workshop", ""]),
        of(&["shoes", "SHOES", ""]),
        of(&["a", "b", "", &"ü".repeat(200)]),
    ]
}

fn of(names: Vec<&'static str>, fields: Vec<Field>) -> BoxedStrategy<Insight> {
    (select(names), option::weighted(0.7, page()), object(fields))
        .prop_map(|(name, url, data)| Insight { name: name.to_owned(), url, data })
        .boxed()
}

/// An event's data: each field is there, or missing, or of another type than it should be.
fn object(fields: Vec<Field>) -> impl Strategy<Value = Option<Value>> {
    let other = select(vec![json!(null), json!(true), json!([]), json!({}), json!(["/"]), json!({ "url": "/" })]);
    let page = prop_oneof![3 => page().prop_map(Value::from), 1 => Just(json!(5))].boxed();
    let fields = fields.into_iter().chain([("url", page)]);
    let fields: Vec<_> = fields
        .map(|(name, value)| {
            let value = prop_oneof![8 => value.prop_map(Some), 1 => Just(None), 1 => other.clone().prop_map(Some)];
            value.prop_map(move |value| Some((name.to_owned(), value?))).boxed()
        })
        .collect();
    let object = fields.prop_map(|fields| Value::Object(fields.into_iter().flatten().collect::<Map<_, _>>()));
    option::weighted(0.9, object)
}

/// Mostly one page: which of its events is the latest, and what is left when that one goes, shows only
/// where there are many.
fn page() -> impl Strategy<Value = String> {
    let long = |tail: &str| format!("/{}{tail}", "日".repeat(90));
    let some = ["/", "/pricing", "/日本語", "", "(other)"].map(str::to_owned);
    let some = some.into_iter().chain(["a", "b"].map(long)).collect::<Vec<_>>();
    prop_oneof![1 => Just("/".to_owned()), 1 => select(some)]
}

fn text(texts: &[&str]) -> BoxedStrategy<Value> {
    let long = select(vec!["x".repeat(256), "x".repeat(257), format!("{}y", "x".repeat(256))]);
    let texts: Vec<Value> = texts.iter().map(|text| json!(text)).collect();
    prop_oneof![12 => select(texts), 1 => long.prop_map(Value::from), 1 => Just(json!(12))].boxed()
}

/// Thousandths at most, so that what they add up to is known exactly.
fn number(numbers: &[f64]) -> BoxedStrategy<Value> {
    let numbers: Vec<Value> = numbers.iter().map(|number| json!(number)).collect();
    prop_oneof![
        4 => select(numbers),
        4 => (0..4_000_000u32).prop_map(|thousandths| json!(f64::from(thousandths) / 1_000.0)),
        2 => (0..5_000u32).prop_map(|whole| json!(whole)),
        1 => select(vec![json!("12"), json!(-1), json!(-0.5), json!(1_000_000_001u64)]),
    ]
    .boxed()
}

fn milliseconds() -> BoxedStrategy<Value> {
    number(&[0.0, 0.5, 1.5, 33.333, 1_000.0])
}

fn message() -> BoxedStrategy<Value> {
    let long = |tail: &str| "é".repeat(255) + tail;
    let messages = ["boom", "Boom", "", "(other)", "\u{1f}\"],[", "Ошибка 日本 \u{1f600}", "\u{0}"];
    let mut messages: Vec<String> = messages.map(str::to_owned).to_vec();
    messages.extend(["", "a", "ab", "ac", "b", "\u{1f600}a", "\u{1f600}b"].map(long));
    prop_oneof![
        8 => Just(json!("boom")),
        8 => select(messages).prop_map(Value::from),
        1 => Just(json!(404)),
        1 => r"\PC{0,8}".prop_map(Value::from),
    ]
    .boxed()
}

fn element() -> BoxedStrategy<Value> {
    text(&["#buy", "#Buy", "ul > li:nth-child(2)", "", "(other)", "[\"#buy\",null]", "#日本"])
}

fn form() -> BoxedStrategy<Value> {
    text(&["signup", "Signup", "", "(other)"])
}

fn input() -> BoxedStrategy<Value> {
    text(&["email", "name", "age", "", "ü"])
}

fn reading() -> Vec<Field> {
    vec![
        ("scroll_depth", number(&[0.0, 50.05, 99.95, 100.0, 120.0])),
        ("active_time_ms", milliseconds()),
        ("total_time_ms", milliseconds()),
        ("scroll_velocity", number(&[0.0, 0.05, 0.25, 1.15])),
    ]
}

fn diagnostics() -> Vec<Field> {
    let whole = || select(vec![json!(0), json!(1), json!(1.0), json!(60), json!(1.5), json!(-1), json!("1")]).boxed();
    let issue = select(vec![
        json!("no_h1"),
        json!("no_title"),
        json!("No_title"),
        json!(""),
        json!("é".repeat(150)),
        json!("ü"),
        json!(3),
    ]);
    vec![
        ("title", text(&["Home", "Heim \u{1f600}", ""])),
        ("title_length", whole()),
        ("meta_description_length", whole()),
        ("h1_count", whole()),
        ("images_missing_alt", whole()),
        ("issues", vec(issue, 0..4).prop_map(Value::from).boxed()),
    ]
}

/// Vitals around their thresholds.
fn vitals() -> Vec<Field> {
    let around = |good: f64, poor: f64| number(&[0.0, good, good + 0.001, poor, poor + 0.001]);
    let cls = select(vec![0.0, 0.05, 0.1, 0.100001, 0.25, 0.250001, 3.0]);
    vec![
        ("lcp", around(2_500.0, 4_000.0)),
        ("inp", around(200.0, 500.0)),
        ("fid", around(100.0, 300.0)),
        ("cls", prop_oneof![8 => cls.prop_map(Value::from), 1 => Just(json!("0.1"))].boxed()),
        ("fcp", around(1_800.0, 3_000.0)),
        ("ttfb", around(800.0, 1_800.0)),
    ]
}
