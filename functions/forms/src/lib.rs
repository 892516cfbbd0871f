//! `GET /api/v1/insights/forms`: the forms that were left in a range, and the fields that made people hesitate.

use std::collections::BTreeMap;

use lambda_http::{Body, Request, Response};
use serde::Serialize;
use shared::api::{Caller, Data, answer};
use shared::app::App;
use shared::derived::forms::{Timed, abandonment, hesitation, last_fields};
use shared::derived::{Measure, View};
use shared::error::ApiError;
use shared::numbers::mean_of_micros;
use shared::ranking::{Parameters, ranked};

/// The forms of a range.
#[derive(Debug, Serialize)]
pub struct Forms {
    abandonment: Vec<Abandonment>,
    hesitation: Vec<Hesitation>,
}

/// A form that was left.
#[derive(Debug, Serialize)]
pub struct Abandonment {
    form: Option<String>,
    url: Option<String>,
    abandons: i64,
    avg_time_spent_ms: i64,
    last_field: Option<String>,
}

/// A field that made people hesitate.
#[derive(Debug, Serialize)]
pub struct Hesitation {
    form: Option<String>,
    field: Option<String>,
    url: Option<String>,
    count: i64,
    avg_hesitation_ms: i64,
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Parameters::parse, read).await
}

async fn read(caller: Caller, Parameters { range, limit }: Parameters) -> Result<Data<Forms>, ApiError> {
    let view = View::load(&caller.store, &caller.project, &[(Measure::Forms, range)]).await?;
    let days = || view.days(Measure::Forms);
    let mut last_fields = most_frequent(last_fields(days()));
    let abandonment = ranked(abandonment(days()), |left| left.count).take(limit).map(|(place, left)| {
        let last_field = last_fields.remove(&place);
        let [form, url] = place;
        Abandonment { form, url, abandons: left.count, avg_time_spent_ms: mean(&left), last_field }
    });
    let hesitation = ranked(hesitation(days()), |hesitated| hesitated.count).take(limit);
    let hesitation = hesitation.map(|([form, field, url], hesitated)| Hesitation {
        form,
        field,
        url,
        count: hesitated.count,
        avg_hesitation_ms: mean(&hesitated),
    });
    Ok(Data { data: Forms { abandonment: abandonment.collect(), hesitation: hesitation.collect() } })
}

/// The average over the events that gave a time.
fn mean(timed: &Timed) -> i64 {
    mean_of_micros(timed.micros, timed.timed)
}

/// The field that was most often the last one, by form and URL, out of the counts by form, URL and field.
fn most_frequent(last_fields: BTreeMap<[Option<String>; 3], i64>) -> BTreeMap<[Option<String>; 2], String> {
    let mut most_frequent = BTreeMap::new();
    for ([form, url, field], _) in ranked(last_fields, |count| *count) {
        if let Some(field) = field {
            most_frequent.entry([form, url]).or_insert(field);
        }
    }
    most_frequent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_field_is_the_most_frequent_one_of_its_form() {
        let key = |texts: [&str; 3]| texts.map(|text| Some(text.to_owned()).filter(|text| !text.is_empty()));
        let counts = BTreeMap::from([
            (key(["signup", "/", "name"]), 2),
            (key(["signup", "/", "email"]), 2),
            (key(["signup", "/", "age"]), 1),
            (key(["signup", "/b", "age"]), 9),
            (key(["", "", "name"]), 1),
            (key(["(other)", "", ""]), 3),
        ]);
        let [email, age, name] = ["email", "age", "name"].map(str::to_owned);
        let place = |form: &str, url: &str| {
            let [form, url, _] = key([form, url, ""]);
            [form, url]
        };
        let expected =
            BTreeMap::from([(place("signup", "/"), email), (place("signup", "/b"), age), (place("", ""), name)]);
        assert_eq!(most_frequent(counts), expected);
    }
}
