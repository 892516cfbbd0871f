//! What a request is authenticated by.

use http::{HeaderMap, header};

use super::cookie::{Cookie, CookieScope};
use super::key::{ApiKey, KeyKind};
use crate::error::ApiError;

pub(crate) const NO_KEY: &str = "Missing API key. Send it as `Authorization: Bearer sk_live_…`.";
pub(crate) const BAD_KEY: &str = "Invalid API key.";
pub(crate) const PUBLIC_KEY: &str = "Public keys (pk_live_) are for the tracker only. Use a secret key (sk_live_).";
pub(crate) const SIGNED_OUT: &str = "You are not signed in. Open a link of an invitation.";

/// Which kind of secret it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// A project's secret key.
    SecretKey,
    /// A person's cookie.
    Cookie,
}

impl CredentialKind {
    /// Its name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            CredentialKind::SecretKey => KeyKind::Secret.name(),
            CredentialKind::Cookie => "person",
        }
    }

    /// What is told to whoever has a wrong one.
    pub(crate) fn refusal(self) -> &'static str {
        match self {
            CredentialKind::SecretKey => BAD_KEY,
            CredentialKind::Cookie => SIGNED_OUT,
        }
    }
}

/// A well-formed secret, by its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Which kind it is.
    pub kind: CredentialKind,
    /// The SHA-256 by which the table knows it.
    pub sha256: String,
}

impl Credential {
    /// What a request of the API holds: `Authorization: Bearer sk_live_…`, and where there is no such header, the cookie of a
    /// person, if the browser says that the request is of the page's own origin, or says nothing of it.
    pub fn of_request(headers: &HeaderMap, scope: CookieScope) -> Result<Self, ApiError> {
        if headers.contains_key(header::AUTHORIZATION) {
            return bearer(headers).map(|key| Credential::of_key(&key));
        }
        let is_own = matches!(Site::of(headers), Site::Own | Site::Unsaid);
        Cookie::sent(headers, scope)
            .filter(|_| is_own)
            .map(|cookie| Credential::of_cookie(&cookie))
            .ok_or(ApiError::Unauthorized(NO_KEY))
    }

    /// A secret key.
    pub fn of_key(key: &ApiKey) -> Self {
        Credential { kind: CredentialKind::SecretKey, sha256: key.sha256() }
    }

    /// A person's cookie.
    pub fn of_cookie(cookie: &Cookie) -> Self {
        Credential { kind: CredentialKind::Cookie, sha256: cookie.sha256() }
    }
}

/// Which page a request comes from, as the browser says: no script can set this header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Site {
    /// One of this very origin.
    Own,
    /// Another one, or none.
    Other,
    /// It is not said: by no browser, or by an old one.
    Unsaid,
}

impl Site {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut said = headers.get_all("sec-fetch-site").iter();
        match (said.next(), said.next()) {
            (None, _) => Site::Unsaid,
            (Some(site), None) if site == "same-origin" => Site::Own,
            _ => Site::Other,
        }
    }
}

/// The key of `Authorization: Bearer sk_live_…`.
fn bearer(headers: &HeaderMap) -> Result<ApiKey, ApiError> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some((scheme, credentials)) = value.trim().split_once(' ') else {
        return Err(ApiError::Unauthorized(NO_KEY));
    };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(ApiError::Unauthorized(NO_KEY));
    }
    match ApiKey::parse(credentials.trim()) {
        None => Err(ApiError::Unauthorized(BAD_KEY)),
        Some(key) if key.kind() == KeyKind::Public => Err(ApiError::Unauthorized(PUBLIC_KEY)),
        Some(key) => Ok(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pairs: &[(&'static str, &str)]) -> Result<CredentialKind, ApiError> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            if let Ok(value) = value.parse() {
                headers.append(*name, value);
            }
        }
        Credential::of_request(&headers, CookieScope::Secure).map(|credential| credential.kind)
    }

    #[test]
    fn the_scheme_is_read_in_any_case_and_the_key_strictly() {
        let key = format!("sk_live_{}", "a1".repeat(16));
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let value = format!("{scheme} {key}");
            assert!(matches!(found(&[("authorization", &value)]), Ok(CredentialKind::SecretKey)), "{value}");
        }
        let public = format!("Bearer pk_live_{}", "a1".repeat(16));
        for value in ["", &key, "Basic abc", "Bearer ", "Bearer sk_live_short", &format!("Bearer {key}x"), &public] {
            assert!(matches!(found(&[("authorization", value)]), Err(ApiError::Unauthorized(_))), "{value}");
        }
    }

    #[test]
    fn a_cookie_stands_in_for_a_key_on_the_pages_own_requests_alone() {
        let cookie = format!("__Host-identity={}", "a".repeat(LENGTH));
        let cookie = ("cookie", cookie.as_str());
        for site in [None, Some("same-origin")] {
            let headers: Vec<_> = site.map(|site| ("sec-fetch-site", site)).into_iter().chain([cookie]).collect();
            assert!(matches!(found(&headers), Ok(CredentialKind::Cookie)), "{site:?}");
        }
        for site in ["cross-site", "same-site", "none", "", "same-origin, cross-site"] {
            let refused = found(&[cookie, ("sec-fetch-site", site)]);
            assert!(matches!(refused, Err(ApiError::Unauthorized(_))), "{site}");
        }
        let twice = found(&[cookie, ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")]);
        assert!(matches!(twice, Err(ApiError::Unauthorized(_))));
        // A key wins, whatever it is worth.
        let key = format!("Bearer sk_live_{}", "a1".repeat(16));
        assert!(matches!(found(&[cookie, ("authorization", &key)]), Ok(CredentialKind::SecretKey)));
        assert!(matches!(found(&[cookie, ("authorization", "Bearer nonsense")]), Err(ApiError::Unauthorized(_))));
    }

    use super::super::secret::LENGTH;
}
