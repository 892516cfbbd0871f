//! `GET /api/v1/audience`: where the visitors of a range are, and with what they came.

use std::collections::BTreeMap;

use figures::log::View;
use figures::measures::Measure;
use figures::measures::audience::{Audience, Trait, audience};
use figures::measures::event_data::{joint_key, parts};
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::api::{Caller, Data, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::ranking::{Parameters, ranked};

/// The visitors of a range and their sessions, by what they have in common.
#[derive(Debug, Serialize)]
pub struct Lists {
    countries: Vec<Country>,
    cities: Vec<City>,
    browsers: Vec<Browser>,
    systems: Vec<System>,
    devices: Vec<Device>,
    languages: Vec<Language>,
    screens: Vec<Screen>,
}

/// How many there are in a row.
#[derive(Debug, PartialEq, Serialize)]
pub struct Counts {
    visitors: u64,
    sessions: u64,
}

/// Those in a country.
#[derive(Debug, PartialEq, Serialize)]
pub struct Country {
    country_code: Option<String>,
    country: Option<String>,
    #[serde(flatten)]
    counts: Counts,
}

/// Those in a city.
#[derive(Debug, Serialize)]
pub struct City {
    city: Option<String>,
    country_code: Option<String>,
    #[serde(flatten)]
    counts: Counts,
}

/// Those with a browser.
#[derive(Debug, Serialize)]
pub struct Browser {
    browser: Option<String>,
    #[serde(flatten)]
    counts: Counts,
}

/// Those with an operating system.
#[derive(Debug, Serialize)]
pub struct System {
    os: Option<String>,
    #[serde(flatten)]
    counts: Counts,
}

/// Those on a kind of device.
#[derive(Debug, Serialize)]
pub struct Device {
    device: Option<String>,
    #[serde(flatten)]
    counts: Counts,
}

/// Those that read a language.
#[derive(Debug, Serialize)]
pub struct Language {
    language: Option<String>,
    #[serde(flatten)]
    counts: Counts,
}

/// Those with a screen of a size.
#[derive(Debug, Serialize)]
pub struct Screen {
    screen: Option<String>,
    #[serde(flatten)]
    counts: Counts,
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, Parameters { range, limit }: Parameters) -> Result<Data<Lists>, ApiError> {
    let view = View::load(&caller.store, &caller.project, &[(Measure::Audience, range)]).await?;
    let rows = |of| audience(view.days(Measure::Audience), of, range.end());
    let lists = Lists {
        countries: countries(rows(Trait::Country), limit),
        cities: top(rows(Trait::City), limit, parts)
            .map(|([city, country_code], counts)| City { city, country_code, counts })
            .collect(),
        browsers: spelled(rows(Trait::Browser), limit).map(|(browser, counts)| Browser { browser, counts }).collect(),
        systems: spelled(rows(Trait::System), limit).map(|(os, counts)| System { os, counts }).collect(),
        devices: top(rows(Trait::Device), limit, known).map(|(device, counts)| Device { device, counts }).collect(),
        languages: top(rows(Trait::Language), limit, known)
            .map(|(language, counts)| Language { language, counts })
            .collect(),
        screens: top(rows(Trait::Screen), limit, known).map(|(screen, counts)| Screen { screen, counts }).collect(),
    };
    Ok(Data { data: lists })
}

/// What has most visitors.
fn top<'a, K: Ord>(
    rows: impl IntoIterator<Item = (&'a str, Audience)>,
    limit: usize,
    key: impl Fn(&'a str) -> K,
) -> impl Iterator<Item = (K, Counts)> {
    let counts = |Audience { visitors, sessions }| Counts { visitors, sessions };
    ranked(rows, limit, |audience| *audience, key).map(move |(key, audience)| (key, counts(audience)))
}

/// The text of a key; the empty one stands for what is not known.
fn known(key: &str) -> Option<String> {
    Some(key).filter(|key| !key.is_empty()).map(str::to_owned)
}

/// The same of texts that differ in their case alone taken for one, as `/visitors` filters by them. It is spelled as the first
/// of them in byte order.
fn spelled<'a>(
    rows: impl Iterator<Item = (&'a str, Audience)>,
    limit: usize,
) -> impl Iterator<Item = (Option<String>, Counts)> {
    let mut alike: BTreeMap<String, (&str, Audience)> = BTreeMap::new();
    for (text, audience) in rows {
        alike.entry(text.to_lowercase()).or_insert((text, Audience::default())).1.add(audience);
    }
    top(alike.into_values(), limit, known)
}

/// A country's code and its name.
type Names = [Option<String>; 2];

/// The countries, by their codes in the same way: a country has the first of its names in byte order. Where no code is known,
/// the name tells one from another.
fn countries<'a>(rows: impl Iterator<Item = (&'a str, Audience)>, limit: usize) -> Vec<Country> {
    let mut alike: BTreeMap<Names, (Names, Audience)> = BTreeMap::new();
    for (key, audience) in rows {
        let [code, name] = parts(key);
        let same = match &code {
            Some(code) => [Some(code.to_lowercase()), None],
            None => [None, name.clone()],
        };
        let ([_, first_name], sum) = alike.entry(same).or_insert(([code, None], Audience::default()));
        sum.add(audience);
        *first_name = first_name.take().into_iter().chain(name).min();
    }
    let rows: Vec<(String, Audience)> = alike
        .into_values()
        .map(|([code, name], audience)| (joint_key([code.as_deref(), name.as_deref()]), audience))
        .collect();
    top(rows.iter().map(|(key, audience)| (key.as_str(), *audience)), limit, parts)
        .map(|([country_code, country], counts)| Country { country_code, country, counts })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audience(visitors: u64, sessions: u64) -> Audience {
        Audience { visitors, sessions }
    }

    #[test]
    fn spellings_in_another_case_are_one() {
        let rows =
            [("", audience(1, 9)), ("CHROME", audience(1, 1)), ("Chrome", audience(2, 2)), ("İE", audience(2, 4))];
        let rows: Vec<_> = spelled(rows.into_iter(), 3).collect();
        let row = |text: Option<&str>, visitors, sessions| (text.map(str::to_owned), Counts { visitors, sessions });
        assert_eq!(rows, [row(Some("CHROME"), 3, 3), row(Some("İE"), 2, 4), row(None, 1, 9)]);
    }

    #[test]
    fn a_country_has_one_row_whatever_its_names() {
        let key = |code: Option<&str>, name: Option<&str>| joint_key([code, name]);
        let mut keys = [
            (key(Some("TR"), Some("Türkiye")), audience(1, 1)),
            (key(Some("TR"), Some("Turkey")), audience(1, 1)),
            (key(Some("tr"), None), audience(1, 2)),
            (key(None, Some("Serbia")), audience(3, 3)),
            (key(None, None), audience(3, 3)),
        ];
        keys.sort();
        let rows = countries(keys.iter().map(|(key, audience)| (key.as_str(), *audience)), 9);
        let row = |code: Option<&str>, name: Option<&str>, visitors, sessions| Country {
            country_code: code.map(str::to_owned),
            country: name.map(str::to_owned),
            counts: Counts { visitors, sessions },
        };
        let expected = [row(Some("TR"), Some("Turkey"), 3, 4), row(None, None, 3, 3), row(None, Some("Serbia"), 3, 3)];
        assert_eq!(rows, expected);
    }
}
