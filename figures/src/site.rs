//! The hosts and origins of a site: what its owner types, in the form in which browsers send it.
//!
//! Both are parsed as URLs are (<https://url.spec.whatwg.org/>): lower case, a domain in Punycode, no default port, no dot
//! at the end. `*.` before a domain stands for all its subdomains, however deep, and not for the domain itself.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use url::{Host, Url};

/// The most bytes of a label (RFC 1035, section 2.3.4).
const MAX_LABEL: usize = 63;
/// The most bytes of a domain's name (the same, as text).
pub const MAX_DOMAIN: usize = 253;

const ANY_SUBDOMAIN: &str = "*.";

/// Why something typed is no host or origin, as the end of a sentence that begins with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSite {
    /// Not a host alone.
    #[error("must be a host name alone, such as shop.example or *.shop.example")]
    Host,
    /// Not an origin alone.
    #[error("must be an origin, such as https://shop.example or https://*.shop.example")]
    Origin,
    /// A name that no host can have.
    #[error("names no host that a browser could open")]
    Domain,
    /// An asterisk where none is understood.
    #[error("may have a * only in place of all subdomains of a domain, as in *.shop.example")]
    Wildcard,
}

/// A host, without `www.`, or all subdomains of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// This host, with or without `www.`.
    One(String),
    /// Hosts that end in this, which begins with a dot.
    Below(String),
}

impl HostPattern {
    /// Reads one that is stored. What was taken before it was read strictly stays as it is, and matches nothing.
    pub fn stored(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| HostPattern::One(text.to_owned()))
    }

    /// Whether it stands for a host in lower case and without `www.`.
    pub fn matches(&self, host: &str) -> bool {
        match self {
            HostPattern::One(one) => one == host,
            HostPattern::Below(end) => host.len() > end.len() && host.ends_with(end.as_str()),
        }
    }
}

impl FromStr for HostPattern {
    type Err = InvalidSite;

    fn from_str(text: &str) -> Result<Self, InvalidSite> {
        if text.contains(|c: char| c.is_whitespace() || c.is_control() || "/\\:@?#[]".contains(c)) {
            return Err(InvalidSite::Host);
        }
        match text.strip_prefix(ANY_SUBDOMAIN) {
            Some(domain) => Ok(HostPattern::Below(format!(".{}", parent_domain(domain)?))),
            None => {
                let host = name(text)?;
                Ok(HostPattern::One(host.strip_prefix("www.").unwrap_or(&host).to_owned()))
            }
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostPattern::One(host) => f.write_str(host),
            HostPattern::Below(end) => write!(f, "*{end}"),
        }
    }
}

impl Serialize for HostPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An origin: scheme, host and port, as the header `Origin` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = InvalidSite;

    fn from_str(text: &str) -> Result<Self, InvalidSite> {
        let (scheme, authority) = split_scheme(text)?;
        // A host in brackets, with its colons, is an IPv6 address.
        let port_at = authority.rfind(':').filter(|at| !authority[*at..].contains(']'));
        let (host, port) = authority.split_at(port_at.unwrap_or(authority.len()));
        let host = name(host)?;
        let url = Url::parse(&format!("{scheme}://{host}{port}")).map_err(|_| InvalidSite::Origin)?;
        Ok(Origin(url.origin().ascii_serialization()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An origin, or those of all subdomains of a domain with one scheme and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginPattern {
    /// This origin.
    One(Origin),
    /// Origins that begin with this scheme, and end in this domain, which begins with a dot, and port.
    Below(&'static str, String),
}

impl OriginPattern {
    /// Reads one that is stored. What was taken before it was read strictly stays as it is, and matches nothing that a
    /// browser sends.
    pub fn stored(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| OriginPattern::One(Origin(text.to_owned())))
    }

    /// Whether it stands for an origin as browsers send it.
    pub fn matches(&self, origin: &str) -> bool {
        match self {
            OriginPattern::One(one) => one.0 == origin,
            OriginPattern::Below(scheme, end) => {
                let host = origin.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
                let subdomain = host.and_then(|host| host.strip_suffix(end.as_str()));
                subdomain.is_some_and(|subdomain| name(subdomain).as_deref() == Ok(subdomain))
            }
        }
    }
}

impl FromStr for OriginPattern {
    type Err = InvalidSite;

    fn from_str(text: &str) -> Result<Self, InvalidSite> {
        let (scheme, authority) = split_scheme(text)?;
        let Some(domain) = authority.strip_prefix(ANY_SUBDOMAIN) else { return text.parse().map(OriginPattern::One) };
        let Origin(origin) = format!("{scheme}://{domain}").parse()?;
        let host = origin.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://")).ok_or(InvalidSite::Origin)?;
        let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
        Ok(OriginPattern::Below(scheme, format!(".{}{port}", parent_domain(name)?)))
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OriginPattern::One(origin) => origin.fmt(f),
            OriginPattern::Below(scheme, end) => write!(f, "{scheme}://*{end}"),
        }
    }
}

impl Serialize for OriginPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The scheme of an origin, and the rest.
fn split_scheme(text: &str) -> Result<(&'static str, &str), InvalidSite> {
    let (scheme, authority) = text.split_once("://").ok_or(InvalidSite::Origin)?;
    let scheme = ["https", "http"].into_iter().find(|known| known.eq_ignore_ascii_case(scheme));
    let is_more = |c: char| c.is_whitespace() || c.is_control() || "/\\@?#".contains(c);
    match scheme {
        Some(scheme) if !authority.contains(is_more) => Ok((scheme, authority)),
        _ => Err(InvalidSite::Origin),
    }
}

/// The domain whose subdomains are meant. Those of a top-level domain are other people's.
fn parent_domain(text: &str) -> Result<String, InvalidSite> {
    let name = name(text)?;
    let is_domain = matches!(Host::parse(&name), Ok(Host::Domain(_))) && name.contains('.');
    if is_domain { Ok(name) } else { Err(InvalidSite::Wildcard) }
}

/// A host as browsers write it, without a dot at its end.
fn name(text: &str) -> Result<String, InvalidSite> {
    if text.contains('*') {
        return Err(InvalidSite::Wildcard);
    }
    match Host::parse(text).map_err(|_| InvalidSite::Domain)? {
        Host::Domain(domain) => {
            let domain = domain.strip_suffix('.').unwrap_or(&domain);
            let can_exist =
                domain.len() <= MAX_DOMAIN && domain.split('.').all(|label| (1..=MAX_LABEL).contains(&label.len()));
            if can_exist { Ok(domain.to_owned()) } else { Err(InvalidSite::Domain) }
        }
        address => Ok(address.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn origins_are_stored_as_browsers_send_them() {
        for (typed, sent) in [
            ("https://shop.example", "https://shop.example"),
            ("HTTPS://SHOP.example", "https://shop.example"),
            ("https://münchen.example", "https://xn--mnchen-3ya.example"),
            ("https://MÜNCHEN.example", "https://xn--mnchen-3ya.example"),
            ("https://xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example"),
            ("https://例え.テスト", "https://xn--r8jz45g.xn--zckzah"),
            ("https://shop。example", "https://shop.example"),
            ("https://shop.example:443", "https://shop.example"),
            ("https://shop.example:0443", "https://shop.example"),
            ("http://shop.example:80", "http://shop.example"),
            ("http://shop.example:443", "http://shop.example:443"),
            ("https://shop.example:8443", "https://shop.example:8443"),
            ("https://shop.example.", "https://shop.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("http://[0:0::1]", "http://[::1]"),
            ("https://my_shop.example", "https://my_shop.example"),
        ] {
            let origin: Result<OriginPattern, _> = typed.parse();
            assert_eq!(origin.as_ref().map(ToString::to_string).as_deref(), Ok(sent), "{typed}");
            assert!(origin.is_ok_and(|origin| origin.matches(sent)), "{typed}");
        }
    }

    #[test]
    fn what_no_browser_sends_is_refused_with_the_reason() {
        for (typed, reason) in [
            ("", InvalidSite::Origin),
            ("null", InvalidSite::Origin),
            ("shop.example", InvalidSite::Origin),
            ("ftp://shop.example", InvalidSite::Origin),
            ("https://shop.example/", InvalidSite::Origin),
            ("https://shop.example?x", InvalidSite::Origin),
            ("https://ana@shop.example", InvalidSite::Origin),
            ("https://shop.example\\", InvalidSite::Origin),
            (" https://shop.example", InvalidSite::Origin),
            ("https://shop.\texample", InvalidSite::Origin),
            ("https://shop.example:99999", InvalidSite::Origin),
            ("https://shop.example:x", InvalidSite::Origin),
            ("https://", InvalidSite::Domain),
            ("https://:443", InvalidSite::Domain),
            ("https://a..b", InvalidSite::Domain),
            ("https://.shop.example", InvalidSite::Domain),
            ("https://xn--.example", InvalidSite::Domain),
            ("https://a^b.example", InvalidSite::Domain),
            ("https://1.2.3.256", InvalidSite::Domain),
            ("https://[::1", InvalidSite::Domain),
            ("https://*", InvalidSite::Wildcard),
            ("https://*.com", InvalidSite::Wildcard),
            ("https://*.127.0.0.1", InvalidSite::Wildcard),
            ("https://shop.*", InvalidSite::Wildcard),
            ("https://*.*.example", InvalidSite::Wildcard),
            ("https://a*.shop.example", InvalidSite::Wildcard),
        ] {
            assert_eq!(typed.parse::<OriginPattern>(), Err(reason), "{typed}");
        }
        let long = format!("https://{}.example", "a".repeat(64));
        assert_eq!(long.parse::<OriginPattern>(), Err(InvalidSite::Domain));
        assert_eq!("https://*.shop.example".parse::<Origin>(), Err(InvalidSite::Wildcard));
    }

    #[test]
    fn an_asterisk_stands_for_all_subdomains_and_not_for_the_domain() -> Result<(), InvalidSite> {
        let origins: OriginPattern = "https://*.Münchner.example:8443".parse()?;
        assert_eq!(origins.to_string(), "https://*.xn--mnchner-n2a.example:8443");
        for (origin, matches) in [
            ("https://blog.xn--mnchner-n2a.example:8443", true),
            ("https://a.b-c.xn--mnchner-n2a.example:8443", true),
            ("https://xn--mnchner-n2a.example:8443", false),
            ("https://.xn--mnchner-n2a.example:8443", false),
            ("https://evilxn--mnchner-n2a.example:8443", false),
            ("http://blog.xn--mnchner-n2a.example:8443", false),
            ("https://blog.xn--mnchner-n2a.example", false),
            ("https://evil.example/.xn--mnchner-n2a.example:8443", false),
            ("https://evil.example:1.xn--mnchner-n2a.example:8443", false),
            ("https://a@b.xn--mnchner-n2a.example:8443", false),
            ("null", false),
        ] {
            assert_eq!(origins.matches(origin), matches, "{origin}");
        }
        Ok(())
    }

    #[test]
    fn hosts_are_compared_as_urls_have_them() {
        for (typed, stored, others) in [
            ("WWW.Shop.example", "shop.example", "blog.shop.example"),
            ("shop.example.", "shop.example", "shop.example.evil"),
            ("münchen.example", "xn--mnchen-3ya.example", "münchen.example"),
            ("www.münchen.example", "xn--mnchen-3ya.example", "munchen.example"),
        ] {
            let host: Result<HostPattern, _> = typed.parse();
            assert_eq!(host.as_ref().map(ToString::to_string).as_deref(), Ok(stored), "{typed}");
            assert!(host.is_ok_and(|host| host.matches(stored) && !host.matches(others)), "{typed}");
        }
        let below: Result<HostPattern, _> = "*.shop.example".parse();
        assert_eq!(below.as_ref().map(ToString::to_string).as_deref(), Ok("*.shop.example"));
        let is_below = |host: &str| below.as_ref().is_ok_and(|below| below.matches(host));
        assert!(is_below("blog.shop.example") && is_below("a.b.shop.example"));
        assert!(!is_below("shop.example") && !is_below("myshop.example") && !is_below(".shop.example"));
        for (typed, reason) in [
            ("", InvalidSite::Domain),
            ("www..", InvalidSite::Domain),
            ("a..b", InvalidSite::Domain),
            ("https://shop.example", InvalidSite::Host),
            ("shop.example/x", InvalidSite::Host),
            ("shop.example:8080", InvalidSite::Host),
            ("*", InvalidSite::Wildcard),
            ("*.example", InvalidSite::Wildcard),
            ("shop.*.example", InvalidSite::Wildcard),
        ] {
            assert_eq!(typed.parse::<HostPattern>(), Err(reason), "{typed}");
        }
    }

    #[test]
    fn what_was_stored_before_is_read_and_what_no_browser_sends_matches_nothing() {
        assert!(OriginPattern::stored("https://münchen.example").matches("https://xn--mnchen-3ya.example"));
        assert!(HostPattern::stored("münchen.example").matches("xn--mnchen-3ya.example"));
        assert_eq!(OriginPattern::stored("https://a..b").to_string(), "https://a..b");
        assert_eq!(HostPattern::stored("a..b").to_string(), "a..b");
    }

    proptest! {
        /// What is stored is read as the same again, and an origin is one that a browser's parser leaves as it is.
        #[test]
        fn any_text_is_read_once_and_for_all(
            text in "(https?://)?(\\*\\.)?[a-zA-Zäß例.*_%0-9-]{0,12}(\\.example)?(:[0-9]{0,6})?[./]?",
        ) {
            if let Ok(pattern) = text.parse::<OriginPattern>() {
                prop_assert_eq!(pattern.to_string().parse(), Ok(pattern));
            }
            if let Ok(origin) = text.parse::<Origin>() {
                let sent = Url::parse(origin.as_str()).map(|url| url.origin().ascii_serialization());
                prop_assert_eq!(sent.as_deref(), Ok(origin.as_str()));
            }
            if let Ok(pattern) = text.parse::<HostPattern>() {
                prop_assert_eq!(pattern.to_string().parse(), Ok(pattern));
            }
        }
    }
}
