//! Who is at the other end: address, country and city.
//!
//! A CDN tells them in headers that anyone could send, so they are believed only beside a secret
//! that the CDN alone adds to what it forwards.

use std::net::IpAddr;

use lambda_http::http::HeaderMap;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use percent_encoding::percent_decode_str;
use shared::app::ClientAddress;
use shared::origin::OriginSecrets;

/// `address:port`.
const VIEWER_ADDRESS: &str = "cloudfront-viewer-address";
/// ISO 3166-1 alpha-2.
const VIEWER_COUNTRY: &str = "cloudfront-viewer-country";
/// The country's English name.
const VIEWER_COUNTRY_NAME: &str = "cloudfront-viewer-country-name";
/// The city's name, percent-encoded.
const VIEWER_CITY: &str = "cloudfront-viewer-city";

/// Characters of a country's or a city's name.
const MAX_NAME: usize = 128;

/// The client of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Viewer {
    /// Its address.
    pub address: Option<IpAddr>,
    /// Its country's English name.
    pub country: Option<String>,
    /// Its country, ISO 3166-1 alpha-2.
    pub country_code: Option<String>,
    /// Its city.
    pub city: Option<String>,
}

impl Viewer {
    /// The client as the CDN tells, if it is trusted and proves to be the CDN; else its address alone.
    pub fn of(request: &Request, secrets: Option<&OriginSecrets>) -> Self {
        let headers = request.headers();
        if !secrets.is_some_and(|secrets| secrets.are_in(headers)) {
            return Viewer { address: peer(request), ..Viewer::default() };
        }
        let country_code = name(headers, VIEWER_COUNTRY).filter(|code| is_country_code(code));
        let known = || rust_iso3166::from_alpha2(country_code.as_deref()?).map(|country| country.name.to_owned());
        Viewer {
            address: name(headers, VIEWER_ADDRESS).and_then(|text| address(&text)).or_else(|| peer(request)),
            country: name(headers, VIEWER_COUNTRY_NAME).or_else(known),
            city: name(headers, VIEWER_CITY),
            country_code,
        }
    }
}

/// Who opened the connection: to the local server, or to API Gateway.
fn peer(request: &Request) -> Option<IpAddr> {
    if let Some(ClientAddress(address)) = request.extensions().get() {
        return Some(address.to_canonical());
    }
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV2(context) => {
            context.http.source_ip.as_deref()?.parse().ok().map(|address: IpAddr| address.to_canonical())
        }
        _ => None,
    }
}

/// Reads `203.0.113.9:4711`, and of IPv6 `2001:db8::1:4711` as well as `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let (address, _port) = text.rsplit_once(':')?;
    let address = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(address);
    address.parse().ok().map(|address: IpAddr| address.to_canonical())
}

fn is_country_code(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn name(headers: &HeaderMap, header: &str) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(header)?.as_bytes());
    let name = percent_decode_str(&text).decode_utf8().ok()?;
    let name = name.trim();
    (1..=MAX_NAME).contains(&name.chars().count()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::Body;
    use shared::origin::HEADER as SECRET;

    const VIEWER: [(&str, &str); 4] = [
        (VIEWER_ADDRESS, "203.0.113.9:4711"),
        (VIEWER_COUNTRY, "RS"),
        (VIEWER_COUNTRY_NAME, "Serbia"),
        (VIEWER_CITY, "Novi%20Sad"),
    ];

    fn request(headers: &[(&str, &str)]) -> Request {
        let mut request = Request::new(Body::Empty);
        for (name, value) in headers {
            let (Ok(name), Ok(value)) = (name.parse::<lambda_http::http::HeaderName>(), value.parse()) else {
                panic!("a header")
            };
            request.headers_mut().insert(name, value);
        }
        request.extensions_mut().insert(ClientAddress(IpAddr::from([192, 0, 2, 1])));
        request
    }

    fn seen(secret: Option<&str>, headers: &[(&str, &str)]) -> Viewer {
        let secrets = OriginSecrets::new(secret.map(str::to_owned));
        Viewer::of(&request(headers), secrets.as_ref())
    }

    #[test]
    fn viewer_headers_are_believed_beside_the_secret_alone() {
        let told = Viewer {
            address: "203.0.113.9".parse().ok(),
            country: Some("Serbia".to_owned()),
            country_code: Some("RS".to_owned()),
            city: Some("Novi Sad".to_owned()),
        };
        let unknown = Viewer { address: "192.0.2.1".parse().ok(), ..Viewer::default() };
        let with = |given: &'static str| [&VIEWER[..], &[(SECRET, given)]].concat();
        assert_eq!(seen(Some("s3cret"), &with("s3cret")), told);
        for (secret, headers) in [
            (Some("s3cret"), VIEWER.to_vec()),
            (Some("s3cret"), with("")),
            (Some("s3cret"), with("s3cre")),
            (Some("s3cret"), with("s3crets")),
            (Some("s3cret"), with("S3CRET")),
            (Some(""), with("")),
            (Some(""), VIEWER.to_vec()),
            (None, with("s3cret")),
            (None, with("")),
        ] {
            assert_eq!(seen(secret, &headers), unknown, "{secret:?} {headers:?}");
        }
    }

    #[test]
    fn what_the_cdn_does_not_tell_is_unknown() {
        let trusted = |headers: &[(&str, &str)]| seen(Some("s"), &[headers, &[(SECRET, "s")]].concat());
        assert_eq!(trusted(&[]), Viewer { address: "192.0.2.1".parse().ok(), ..Viewer::default() });
        let coded = trusted(&[(VIEWER_COUNTRY, "RS")]);
        assert_eq!((coded.country.as_deref(), coded.country_code.as_deref()), (Some("Serbia"), Some("RS")));
        let odd = trusted(&[(VIEWER_COUNTRY, "serbia"), (VIEWER_CITY, "%FF"), (VIEWER_ADDRESS, "nowhere")]);
        assert_eq!(odd, Viewer { address: "192.0.2.1".parse().ok(), ..Viewer::default() });
        assert_eq!(trusted(&[(VIEWER_CITY, "S%C3%A3o%20Paulo")]).city.as_deref(), Some("São Paulo"));
        assert_eq!(trusted(&[(VIEWER_CITY, &"x".repeat(129))]).city, None);
    }

    #[test]
    fn addresses_are_read_with_their_port() {
        for (text, expected) in [
            ("203.0.113.9:4711", "203.0.113.9"),
            ("2001:db8:0:0:0:0:0:1:443", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("::ffff:203.0.113.9:443", "203.0.113.9"),
        ] {
            assert_eq!(address(text), expected.parse().ok(), "{text}");
        }
        for text in ["", ":", "203.0.113.9", "a:1", "[2001:db8::1:443"] {
            assert_eq!(address(text), None, "{text}");
        }
    }

    #[test]
    fn a_function_behind_api_gateway_knows_the_peer_from_its_context() {
        let event = r#"{"version":"2.0","routeKey":"$default","rawPath":"/collect","rawQueryString":"","headers":{},
            "requestContext":{"accountId":"1","apiId":"a","domainName":"a.example","http":{"method":"POST",
            "path":"/collect","protocol":"HTTP/1.1","sourceIp":"198.51.100.7","userAgent":"x"},"requestId":"r",
            "routeKey":"$default","stage":"$default","time":"","timeEpoch":0},"isBase64Encoded":false}"#;
        let Ok(request) = lambda_http::request::from_str(event) else { panic!("an event") };
        assert_eq!(Viewer::of(&request, None).address, "198.51.100.7".parse().ok());
    }
}
