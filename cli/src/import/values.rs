//! Values of other tools, made into values that a batch may hold.

use chrono::{DateTime, NaiveDateTime};
use collect::limits::{MAX_DATA, MAX_NAME, MAX_SHORT, MAX_URL, MAX_UTM};
use figures::channels::{PAID_CLICK, engine_of_click};
use figures::time::Millis;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use url::Url;

use super::hit::Tags;

/// Characters of a text in an event's data.
const MAX_TEXT: usize = 1_000;
/// Characters of an identifier, which leaves room for a number at its end.
const MAX_ID: usize = 100;

/// 2000-01-01 in Unix microseconds. Times in a unit that is too small are long before.
const YEAR_2000: i64 = 946_684_800_000_000;

/// What a page view is called here.
pub const PAGE_VIEW: &str = "page_view";

/// The identifier of what a tool calls by some names: readable where they are plain, else a hash of them.
pub fn id(source: &str, names: &[&str]) -> String {
    let plain = |name: &&str| {
        let legal =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        name.split('.').all(legal)
    };
    let text = names.join("__").replace('.', "_");
    if names.iter().all(plain) && source.len() + 1 + text.len() <= MAX_ID {
        return format!("{source}_{text}");
    }
    let mut hash = Sha256::new();
    for name in names {
        hash.update(name.as_bytes());
        hash.update([0]);
    }
    format!("{source}__{}", hex(&hash.finalize(), 16))
}

/// What tells a text from others.
pub fn mark(text: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    digest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn hex(bytes: &[u8], count: usize) -> String {
    bytes.iter().take(count).map(|byte| format!("{byte:02x}")).collect()
}

/// The name of an event that is no page view: as it is where it may be, else in small letters, digits and underscores.
pub fn event_name(name: &str) -> String {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(legal) {
        return name.to_owned();
    }
    let mut slug = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('_') {
            slug.push('_');
        }
    }
    slug.truncate(MAX_NAME);
    match slug.trim_end_matches('_') {
        "" => format!("event_{}", hex(&Sha256::digest(name.as_bytes()), 4)),
        PAGE_VIEW => "page_view_event".to_owned(),
        slug => slug.to_owned(),
    }
}

/// At most so many characters of a text that holds anything.
fn kept(text: &str, max: usize) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.chars().take(max).collect())
}

/// A name or another short text.
pub fn short(text: &str) -> Option<String> {
    kept(text, MAX_SHORT)
}

/// A campaign parameter.
pub fn tag(text: &str) -> Option<String> {
    kept(text, MAX_UTM)
}

/// The address of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its host, where it is known, without `www.`.
    pub host: Option<String>,
    /// The address as the tracker sends it: the path.
    pub url: String,
    /// What else its query has.
    query: Vec<(String, String)>,
}

impl Page {
    /// Reads an address, with or without a host. The parameters of its query that are kept are part of it.
    pub fn of(text: &str, kept_params: &[String]) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let (mut address, is_absolute) = if text.starts_with('/') && !text.starts_with("//") {
            (Url::parse("https://localhost/").ok()?.join(text).ok()?, false)
        } else {
            (absolute(text)?, true)
        };
        let query: Vec<_> =
            address.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        let (mut of_page, query): (Vec<_>, Vec<_>) =
            query.into_iter().partition(|(name, _)| kept_params.contains(name));
        // As the tracker does: one page has one address.
        of_page.sort_by(|(one, _), (other, _)| one.cmp(other));
        address.query_pairs_mut().clear().extend_pairs(of_page);
        let suffix = address.query().filter(|query| !query.is_empty()).map(|query| format!("?{query}"));
        Some(Page {
            host: address.host_str().filter(|_| is_absolute).map(without_www),
            url: kept(&format!("{}{}", address.path(), suffix.unwrap_or_default()), MAX_URL)?,
            query,
        })
    }

    /// Whether parameters of the address are left out that are no campaign's.
    pub fn has_query(&self) -> bool {
        self.query.iter().any(|(name, _)| !name.starts_with("utm_") && engine_of_click(name).is_none())
    }

    fn engine_of_click(&self) -> Option<&'static str> {
        self.query.iter().find_map(|(name, value)| engine_of_click(name).filter(|_| !value.is_empty()))
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, value)| known == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }
}

/// An address with a host; many tools leave out how it is reached.
fn absolute(text: &str) -> Option<Url> {
    let address = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("https://{text}")) };
    address.ok().filter(|address| address.host_str().is_some_and(|host| !host.is_empty()))
}

fn without_www(host: &str) -> String {
    host.strip_prefix("www.").unwrap_or(host).to_ascii_lowercase()
}

/// Where a visitor came from, as the tracker sends it: origin and path. A bare host, as many tools export it, is taken
/// for that of a site; one of the own site is nothing.
pub fn referrer(text: &str, own: Option<&Page>) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('/') || text.contains(char::is_whitespace) {
        return None;
    }
    let mut address = absolute(text)?;
    let host = without_www(address.host_str()?);
    let is_site = host.contains('.') || text.contains("://");
    if !is_site || own.and_then(|page| page.host.as_deref()) == Some(host.as_str()) {
        return None;
    }
    // An address that can have no user has none.
    let _ = (address.set_username(""), address.set_password(None));
    address.set_query(None);
    address.set_fragment(None);
    kept(address.as_str(), MAX_URL)
}

/// A campaign: what is told of it, else what the landing page's address tells. Where that names no medium, and an ad of a
/// search engine was clicked, it is the ad's.
pub fn campaign(told: Tags, page: Option<&Page>, engine: Option<&str>) -> Tags {
    let parameter = |name: &str| page.and_then(|page| page.parameter(name)).and_then(tag);
    let tagged = match told.are_none() {
        false => told,
        true => Tags {
            source: parameter("utm_source"),
            medium: parameter("utm_medium"),
            campaign: parameter("utm_campaign"),
            term: parameter("utm_term"),
            content: parameter("utm_content"),
        },
    };
    match engine.or_else(|| page?.engine_of_click()).filter(|_| tagged.medium.is_none()) {
        Some(engine) => Tags {
            source: tagged.source.or_else(|| Some(engine.to_owned())),
            medium: Some(PAID_CLICK.to_owned()),
            ..tagged
        },
        None => tagged,
    }
}

/// An event's data, as far as its limits allow.
#[derive(Debug, Default)]
pub struct Data {
    entries: Map<String, Value>,
    is_cut: bool,
}

impl Data {
    /// Adds a value that says anything.
    pub fn add(&mut self, name: &str, value: Value) {
        let value = match value {
            Value::Null => return,
            Value::String(text) if text.is_empty() => return,
            Value::String(text) => Value::String(self.cut(&text)),
            other => other,
        };
        let name = self.cut(name);
        self.entries.insert(name, value);
    }

    /// Adds a text that says anything.
    pub fn add_text(&mut self, name: &str, text: Option<String>) {
        self.add(name, text.map_or(Value::Null, Value::String));
    }

    fn cut(&mut self, text: &str) -> String {
        let kept: String = text.chars().take(MAX_TEXT).collect();
        self.is_cut |= kept.len() < text.len();
        kept
    }

    /// Its JSON, if there is anything in it, and whether something had to be cut.
    pub fn into_json(mut self) -> (Option<String>, bool) {
        loop {
            if self.entries.is_empty() {
                return (None, self.is_cut);
            }
            let text = Value::Object(self.entries.clone()).to_string();
            if text.len() <= MAX_DATA {
                return (Some(text), self.is_cut);
            }
            self.is_cut = true;
            let last = self.entries.keys().next_back().cloned().unwrap_or_default();
            self.entries.remove(&last);
        }
    }
}

/// An instant in Unix microseconds, from `2024-06-25 08:00:00`, which is UTC, with a fraction, `T` and an offset or not.
pub fn micros_of(text: &str) -> Option<i64> {
    let text = text.trim();
    const WITH_OFFSET: [&str; 2] = ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z"];
    const WITHOUT: [&str; 2] = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
    let utc = text.strip_suffix('Z').or_else(|| text.strip_suffix(" UTC")).unwrap_or(text);
    let naive = WITHOUT.iter().find_map(|format| NaiveDateTime::parse_from_str(utc, format).ok());
    let instant = naive.map(|instant| instant.and_utc()).or_else(|| {
        let offset = WITH_OFFSET.iter().find_map(|format| DateTime::parse_from_str(text, format).ok());
        offset.map(|instant| instant.to_utc())
    });
    in_range(instant?.timestamp_micros())
}

/// An instant that a batch may hold, and of which a tool can tell: none of them is older than 2000.
pub fn in_range(micros: i64) -> Option<i64> {
    (YEAR_2000..=Millis::MAX.0.saturating_mul(1_000)).contains(&micros).then_some(micros)
}

/// A text of JSON that holds anything; numbers are texts, too.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A whole number of JSON, which may be written as a text: many databases write large ones so.
pub fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A number of JSON, which may be written as a text.
pub fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

/// Width and height, from `1920x1080`.
pub fn screen(text: &str) -> Option<(u32, u32)> {
    let (width, height) = text.trim().split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use figures::ids::VisitorId;
    use proptest::prelude::*;

    #[test]
    fn identifiers_are_readable_where_they_are_plain() {
        assert_eq!(id("ga4", &["1234.5678"]), "ga4_1234_5678");
        assert_eq!(id("ga4", &["1234.5678", "1719302400"]), "ga4_1234_5678__1719302400");
        assert_eq!(id("umami", &["0b9e7a5c-1d2e-5f3a"]), "umami_0b9e7a5c-1d2e-5f3a");
        for odd in ["a_b", "a b", "é", "", "a..b", ".a", &"x".repeat(101)] {
            assert!(id("ga4", &[odd]).starts_with("ga4__"), "{odd}");
        }
        assert_ne!(id("x", &["a b"]), id("x", &["a_b"]));
    }

    #[test]
    fn events_keep_their_names_where_they_fit() {
        for (name, expected) in [
            ("purchase", "purchase"),
            ("Add to Cart", "add_to_cart"),
            ("Outbound Link: Click", "outbound_link_click"),
            ("404", "404"),
            ("Page View", "page_view_event"),
            ("page_view", "page_view"),
            ("_private", "_private"),
            ("  ", "event_6c179f21"),
        ] {
            assert_eq!(event_name(name), expected, "{name}");
        }
        assert_ne!(event_name("购买"), event_name("注册"));
        assert_eq!(event_name(&"a".repeat(70)).len(), 64);
    }

    #[test]
    fn pages_are_paths_as_the_tracker_sends_them() {
        for (text, host, url) in [
            ("https://www.shop.example/a/b?c=1#d", Some("shop.example"), "/a/b"),
            ("/a?b", None, "/a"),
            ("shop.example/caf\u{e9}", Some("shop.example"), "/caf%C3%A9"),
            ("https://shop.example", Some("shop.example"), "/"),
            ("/caf\u{e9}", None, "/caf%C3%A9"),
        ] {
            let page = Page::of(text, &[]).unwrap();
            assert_eq!((page.host.as_deref(), page.url.as_str()), (host, url), "{text}");
        }
        let params = ["page".to_owned(), "id".to_owned()];
        let page = Page::of("/a?x=1&page=2&id=a%20b&utm_source=s", &params).unwrap();
        assert_eq!((page.url.as_str(), page.has_query()), ("/a?id=a+b&page=2", true));
        assert_eq!(campaign(Tags::default(), Some(&page), None).source.as_deref(), Some("s"));
        for text in ["", " ", "about:blank", "http://", "//"] {
            assert_eq!(Page::of(text, &[]), None, "{text}");
        }
    }

    #[test]
    fn referrers_are_origin_and_path_of_other_sites() {
        let own = Page::of("https://shop.example/", &[]).unwrap();
        for (text, expected) in [
            ("partner.example", Some("https://partner.example/")),
            ("google.com/search", Some("https://google.com/search")),
            ("https://user:secret@www.google.com/url?q=1#x", Some("https://www.google.com/url")),
            ("android-app://com.google.android.gm", Some("android-app://com.google.android.gm")),
            ("https://www.shop.example/a", None),
            ("shop.example", None),
            ("(direct)", None),
            ("Google", None),
            ("/a", None),
            ("", None),
        ] {
            assert_eq!(referrer(text, Some(&own)).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_campaign_is_told_or_in_the_address_or_an_ad() {
        let told = Tags { source: Some("news".to_owned()), medium: Some("mail".to_owned()), ..Tags::default() };
        let tagged = Page::of("/?utm_source=news&utm_medium=email&gclid=1", &[]).unwrap();
        assert_eq!(campaign(told.clone(), Some(&tagged), None), told);
        assert_eq!(campaign(Tags::default(), Some(&tagged), None).medium.as_deref(), Some("email"));
        for tags in ["utm_source=google&utm_campaign=summer&", "utm_campaign=summer&", "utm_term=boats&", ""] {
            let paid = campaign(Tags::default(), Page::of(&format!("/?{tags}gclid=Cj0"), &[]).as_ref(), None);
            assert_eq!((paid.source.as_deref(), paid.medium.as_deref()), (Some("google"), Some("cpc")), "{tags}");
        }
        let paid = campaign(Tags::default(), Page::of("/?gclid=Cj0", &[]).as_ref(), None);
        assert_eq!((paid.source.as_deref(), paid.medium.as_deref()), (Some("google"), Some("cpc")));
        assert!(campaign(Tags::default(), Page::of("/?fbclid=1", &[]).as_ref(), None).are_none());
        assert_eq!(campaign(Tags::default(), None, engine_of_click("msclkid")).source.as_deref(), Some("bing"));
        let network = campaign(Tags::default(), Page::of("/?gad_source=1&yclid=2", &[]).as_ref(), None);
        assert_eq!(network.source.as_deref(), Some("google"));
    }

    #[test]
    fn instants_are_read_as_databases_write_them() {
        let eight = 1_719_302_400_000_000;
        for (text, expected) in [
            ("2024-06-25 08:00:00", eight),
            ("2024-06-25 08:00:00.123456", eight + 123_456),
            ("2024-06-25 10:00:00+02", eight),
            ("2024-06-25 08:00:00.5+00:00", eight + 500_000),
            ("2024-06-25T08:00:00.000Z", eight),
            ("2024-06-25T10:00:00+02:00", eight),
            ("2024-06-25 08:00:00 UTC", eight),
        ] {
            assert_eq!(micros_of(text), Some(expected), "{text}");
        }
        for text in ["", "2024-06-25", "yesterday", "1999-12-31 23:59:59", "2024-13-01 00:00:00"] {
            assert_eq!(micros_of(text), None, "{text}");
        }
    }

    #[test]
    fn data_is_cut_to_its_limits() {
        let mut data = Data::default();
        (0..30).for_each(|number| data.add(&format!("p{number:02}"), Value::String("\u{e9}".repeat(1_500))));
        let (text, is_cut) = data.into_json();
        let text = text.unwrap();
        assert!(is_cut && text.len() <= MAX_DATA && text.contains("p00") && !text.contains("p29"));
        assert_eq!(Data::default().into_json(), (None, false));
    }

    proptest! {
        #[test]
        fn any_text_makes_legal_values(text in "\\PC{0,200}") {
            prop_assert!(id("plausible", &[&text]).parse::<VisitorId>().is_ok());
            let name = event_name(&text);
            prop_assert!((1..=64).contains(&name.len()), "{}", name);
            prop_assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'), "{}", name);
            let page = Page::of(&text, &[]);
            prop_assert!(page.as_ref().is_none_or(|page| page.url.chars().count() <= MAX_URL));
            let _ = referrer(&text, page.as_ref());
        }
    }
}
