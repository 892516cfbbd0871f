//! `GET /api/v1/acquisition`: where the sessions of a range came from.
//!
//! Values of a campaign parameter that differ in case and blanks alone are one row, under the spelling that most sessions
//! have: people type them into links. They are kept apart in what is stored.

use std::collections::HashMap;

use figures::log::View;
use figures::measures::Measure;
use figures::measures::acquisition::{Campaign, campaigns, channels, referrers};
use figures::numbers::percent;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::api::{Caller, Data, answer};
use shared::app::App;
use shared::error::ApiError;
use shared::ranking::{Parameters, ranked};

/// Where the sessions of a range came from.
#[derive(Debug, Serialize)]
pub struct Acquisition {
    referrers: Vec<Referrer>,
    utm: Utm,
    channels: Vec<Channel>,
}

/// The sessions that a site referred.
#[derive(Debug, Serialize)]
pub struct Referrer {
    referrer: String,
    sessions: i64,
}

/// The campaign parameters.
#[derive(Debug, Serialize)]
pub struct Utm {
    source: Vec<UtmValue>,
    medium: Vec<UtmValue>,
    campaign: Vec<UtmValue>,
    term: Vec<UtmValue>,
    content: Vec<UtmValue>,
}

/// The sessions with a value of a campaign parameter.
#[derive(Debug, Serialize)]
pub struct UtmValue {
    value: String,
    sessions: i64,
}

/// The sessions of a channel.
#[derive(Debug, PartialEq, Serialize)]
pub struct Channel {
    channel: String,
    sessions: i64,
    share: f64,
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, Parameters { range, limit }: Parameters) -> Result<Data<Acquisition>, ApiError> {
    let view = View::load(&caller.store, &caller.project, &[(Measure::Acquisition, range)]).await?;
    let days = || view.days(Measure::Acquisition);
    let values = |campaign| {
        let spellings = one_by_spelling(campaigns(days(), campaign));
        top(spellings.iter().copied(), limit).map(|(value, sessions)| UtmValue { value, sessions }).collect()
    };
    let acquisition = Acquisition {
        referrers: top(referrers(days()), limit).map(|(referrer, sessions)| Referrer { referrer, sessions }).collect(),
        utm: Utm {
            source: values(Campaign::Source),
            medium: values(Campaign::Medium),
            campaign: values(Campaign::Campaign),
            term: values(Campaign::Term),
            content: values(Campaign::Content),
        },
        channels: shares(channels(days()), limit),
    };
    Ok(Data { data: acquisition })
}

/// What brought most sessions.
fn top<'a>(sessions: impl Iterator<Item = (&'a str, i64)>, limit: usize) -> impl Iterator<Item = (String, i64)> {
    ranked(sessions, limit, |sessions| *sessions, str::to_owned)
}

/// The sessions of all spellings of a value, under the most frequent one; of equally frequent ones the first in byte order.
fn one_by_spelling<'a>(sessions: impl Iterator<Item = (&'a str, i64)>) -> Vec<(&'a str, i64)> {
    let mut values: HashMap<String, (&str, i64, i64)> = HashMap::new();
    for (spelling, sessions) in sessions {
        let words: Vec<_> = spelling.split_whitespace().map(str::to_lowercase).collect();
        let (most_frequent, its_sessions, all) = values.entry(words.join(" ")).or_insert((spelling, sessions, 0));
        *all += sessions;
        if (sessions, *most_frequent) > (*its_sessions, spelling) {
            (*most_frequent, *its_sessions) = (spelling, sessions);
        }
    }
    values.into_values().map(|(spelling, _, all)| (spelling, all)).collect()
}

/// The channels with their shares of all sessions: each session came by exactly one.
fn shares<'a>(channels: impl Iterator<Item = (&'a str, i64)>, limit: usize) -> Vec<Channel> {
    let channels: Vec<_> = channels.collect();
    let all: i64 = channels.iter().map(|(_, sessions)| sessions).sum();
    top(channels.into_iter(), limit)
        .map(|(channel, sessions)| Channel { channel, sessions, share: percent(sessions, all) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_value_are_one_row_under_the_most_frequent() {
        let mut rows = one_by_spelling(
            [("LinkedIn", 2), ("linkedin", 3), ("LINKEDIN", 1), (" linked in", 1), ("Linked  In ", 1), ("x", 1)]
                .into_iter(),
        );
        rows.sort_unstable();
        assert_eq!(rows, [(" linked in", 2), ("linkedin", 6), ("x", 1)]);
        assert_eq!(one_by_spelling([("b", 1), ("B", 1)].into_iter()), [("B", 2)]);
    }

    #[test]
    fn shares_are_of_all_sessions_not_only_those_listed() {
        let channels = [("Direct", 1), ("Email", 3), ("Organic Search", 3), ("Referral", 1)];
        let row = |channel: &str, sessions, share| Channel { channel: channel.to_owned(), sessions, share };
        let expected = [row("Email", 3, 37.5), row("Organic Search", 3, 37.5), row("Direct", 1, 12.5)];
        assert_eq!(shares(channels.into_iter(), 3), expected);
        assert_eq!(shares([].into_iter(), 3), []);
    }
}
