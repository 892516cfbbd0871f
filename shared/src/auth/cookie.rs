//! The cookie of a person who is signed in.

use std::fmt;

use figures::table::store::StoreError;
use figures::time::Millis;
use http::{HeaderMap, HeaderValue, header};

use super::secret::{LENGTH, is_random_text, random_text, sha256};

/// How long a cookie is good after it was last used, in seconds: 30 days.
pub const LIFETIME_SECS: i64 = 30 * 86_400;

/// Requests a minute of a person.
pub const PERSON_LIMIT: u32 = 600;

/// How browsers keep the cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieScope {
    /// For this host alone and over TLS alone.
    Secure,
    /// Over plain HTTP, which browsers reach on loopback alone: the local stack's.
    Loopback,
}

impl CookieScope {
    fn name(self) -> &'static str {
        match self {
            // Browsers take a cookie with this prefix from the host itself over TLS alone, so no other host can set one.
            CookieScope::Secure => "__Host-identity",
            CookieScope::Loopback => "identity",
        }
    }

    /// The value of a cookie that is ours, of a name and a value as browsers send them.
    fn value_in(self, pair: &[u8]) -> Option<&[u8]> {
        trimmed(pair).strip_prefix(self.name().as_bytes())?.strip_prefix(b"=")
    }

    /// The scheme of addresses at which the cookie is sent.
    pub fn scheme(self) -> &'static str {
        match self {
            CookieScope::Secure => "https",
            CookieScope::Loopback => "http",
        }
    }
}

/// A cookie in plain text, well-formed: 256 random bits. Never stored, never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie(String);

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cookie(…)")
    }
}

impl Cookie {
    /// Makes a cookie.
    pub fn generate() -> Result<Self, StoreError> {
        random_text(LENGTH).map(Cookie)
    }

    /// The cookie that a browser sent.
    pub fn sent(headers: &HeaderMap, scope: CookieScope) -> Option<Self> {
        // Others of the domain may hold any bytes.
        let lines = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes);
        let pairs = lines.flat_map(|line| line.split(|byte| *byte == b';'));
        let mut values = pairs.filter_map(|pair| std::str::from_utf8(scope.value_in(pair)?).ok());
        values.find(|value| is_random_text(value, LENGTH)).map(|value| Cookie(value.to_owned()))
    }

    /// The SHA-256 by which the table knows it.
    pub fn sha256(&self) -> String {
        sha256(&self.0)
    }

    /// The header that has a browser keep it.
    pub fn to_keep(&self, scope: CookieScope) -> Result<HeaderValue, StoreError> {
        set(scope, &self.0, LIFETIME_SECS)
    }

    /// The header that has a browser forget it.
    pub fn to_forget(scope: CookieScope) -> Result<HeaderValue, StoreError> {
        set(scope, "", 0)
    }
}

/// Without the white space that may stand around a cookie (RFC 6265, section 5.2): no other kind of it, or a name that begins
/// with one would pass for ours.
fn trimmed(pair: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = pair.iter().position(|byte| !is_blank(byte)).unwrap_or(pair.len());
    let end = pair.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    &pair[start..end]
}

/// Whether a cookie is one that a function reads, whatever its value.
pub fn is_own_cookie(pair: &str) -> bool {
    [CookieScope::Secure, CookieScope::Loopback].iter().any(|scope| scope.value_in(pair.as_bytes()).is_some())
}

fn set(scope: CookieScope, value: &str, max_age: i64) -> Result<HeaderValue, StoreError> {
    let secure = if scope == CookieScope::Secure { " Secure;" } else { "" };
    let text = format!("{}={value}; HttpOnly;{secure} SameSite=Strict; Path=/; Max-Age={max_age}", scope.name());
    let mut value = HeaderValue::try_from(text).map_err(|error| StoreError::Failed(error.to_string()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// When a cookie that is used now expires, in Unix seconds.
pub(crate) fn expires_at(now: Millis) -> i64 {
    now.0 / 1000 + LIFETIME_SECS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(lines: &[&str], scope: CookieScope) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines.iter().filter_map(|line| HeaderValue::from_bytes(line.as_bytes()).ok()) {
            headers.append(header::COOKIE, line);
        }
        Cookie::sent(&headers, scope).map(|cookie| cookie.0)
    }

    #[test]
    fn a_cookie_is_read_by_its_whole_name_and_strictly() {
        let (one, other) = ("a1".repeat(21) + "b", "c2".repeat(21) + "d");
        let host = format!("__Host-identity={one}");
        assert_eq!(sent(&[&host], CookieScope::Secure).as_ref(), Some(&one));
        assert_eq!(sent(&[&host], CookieScope::Loopback), None);
        let plain = format!("theme=dark; identity={one};x=1");
        assert_eq!(sent(&[&plain], CookieScope::Loopback).as_ref(), Some(&one));
        assert_eq!(sent(&[&plain], CookieScope::Secure), None, "any host could set that one");
        let beside = format!("city=Niš; identity={one}");
        assert_eq!(sent(&[&beside], CookieScope::Loopback).as_ref(), Some(&one), "others hold any bytes");
        let spaced = format!("x=1;\u{a0}__Host-identity={other}; __Host-identity={one}");
        assert_eq!(sent(&[&spaced], CookieScope::Secure).as_ref(), Some(&one), "any host could set the first one");
        let second = format!("identity={other}");
        assert_eq!(sent(&["identity=short", &second], CookieScope::Loopback).as_ref(), Some(&other));
        for bad in [
            "",
            "identity",
            "identity=",
            &format!("identity=\"{one}\""),
            &format!("Identity={one}"),
            &format!("identity={one}x"),
        ] {
            assert_eq!(sent(&[bad], CookieScope::Loopback), None, "{bad}");
        }
    }

    #[test]
    fn browsers_keep_it_from_scripts_and_from_other_sites() {
        let Ok(cookie) = Cookie::generate() else { panic!("no random numbers") };
        let kept = |scope| cookie.to_keep(scope).ok().and_then(|value| value.to_str().ok().map(str::to_owned));
        let value = &cookie.0;
        assert_eq!(
            kept(CookieScope::Secure),
            Some(format!("__Host-identity={value}; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=2592000"))
        );
        assert_eq!(
            kept(CookieScope::Loopback),
            Some(format!("identity={value}; HttpOnly; SameSite=Strict; Path=/; Max-Age=2592000"))
        );
        assert!(!format!("{cookie:?}").contains(value.as_str()));
    }
}
