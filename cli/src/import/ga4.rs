//! Google Analytics 4: rows of the tables `events_YYYYMMDD` that it exports to BigQuery, as JSON.
//!
//! Their columns are those of "[GA4] BigQuery Export schema" (<https://support.google.com/analytics/answer/7029846>). BigQuery
//! writes whole numbers of 64 bits as texts, and leaves out what is null.

use std::collections::BTreeMap;

use figures::channels::engine_of_click;
use serde_json::Value;

use super::client::{browser, country_of_name, mobile, system};
use super::export::{Context, event};
use super::hit::{Client, Hit, Landing, Tags};
use super::values::{
    self, Data, PAGE_VIEW, Page, campaign, event_name, id, in_range, mark, number, referrer, short, tag, whole,
};

const SOURCE: &str = "ga4";

/// Parameters that are carried over as something else, or are of use to Google alone.
const NOT_DATA: [&str; 19] = [
    "page_location",
    "page_title",
    "page_referrer",
    "ga_session_id",
    "ga_session_number",
    "session_engaged",
    "engaged_session_event",
    "entrances",
    "source",
    "medium",
    "campaign",
    "term",
    "content",
    "gclid",
    "gclsrc",
    "dclid",
    "srsltid",
    "batch_ordering_id",
    "batch_page_id",
];

/// What a row tells.
pub fn hits(row: &Value, line: u64, context: &mut Context) -> Result<Vec<Hit>, String> {
    let name = text(&row["event_name"]).ok_or("event_name: is required")?;
    let micros =
        whole(&row["event_timestamp"]).and_then(in_range).ok_or("event_timestamp: must be Unix microseconds")?;
    let parameters = parameters(&row["event_params"]);
    let Some(user) = text(&row["user_pseudo_id"]) else {
        context.lose("events of nobody (no user_pseudo_id, as without consent), left out");
        return Ok(Vec::new());
    };
    let Some(session) = parameters.get("ga_session_id").and_then(whole) else {
        context.lose("events of no session (no ga_session_id), left out");
        return Ok(Vec::new());
    };
    if row["items"].as_array().is_some_and(|items| !items.is_empty()) {
        context.lose("events whose purchase items were left out");
    }
    let page = parameter(&parameters, "page_location").as_deref().and_then(|address| context.page(address));
    let mut hit = Hit::new(id(SOURCE, &[&user]), id(SOURCE, &[&user, &session.to_string()]), micros, line);
    hit.day = whole(&row["event_date"]).unwrap_or(hit.day);
    // Events that a browser sends together have one time.
    let place = |column: &str| whole(&row[column]).unwrap_or_default();
    hit.rank = place("batch_ordering_id").saturating_mul(1_000).saturating_add(place("batch_event_index"));
    hit.mark = Some(mark(&row.to_string()));
    hit.scroll_depth = parameters.get("percent_scrolled").and_then(whole).and_then(percent);
    hit.landing = landing(row, &parameters, page.as_ref());
    hit.client = client(row);
    hit.event = event(event_name(&name), page.as_ref(), data(&name, &parameters, page.as_ref(), row), context);
    Ok(vec![hit])
}

/// A text that says anything: what Google does not know it writes as `(not set)`, `(direct)` or `<Other>`.
fn text(value: &Value) -> Option<String> {
    let is_known = |text: &String| !(text.starts_with('(') && text.ends_with(')')) && text != "<Other>";
    values::text(value).filter(is_known)
}

type Parameters = BTreeMap<String, Value>;

fn parameters(list: &Value) -> Parameters {
    let read = |parameter: &Value| {
        let value = &parameter["value"];
        let value = if let Value::String(text) = &value["string_value"] {
            Value::String(text.clone())
        } else if let Some(whole) = whole(&value["int_value"]) {
            Value::from(whole)
        } else {
            Value::from(number(&value["double_value"]).or_else(|| number(&value["float_value"]))?)
        };
        Some((parameter["key"].as_str()?.to_owned(), value))
    };
    list.as_array().into_iter().flatten().filter_map(read).collect()
}

fn parameter(parameters: &Parameters, name: &str) -> Option<String> {
    text(parameters.get(name)?)
}

fn percent(number: i64) -> Option<u8> {
    u8::try_from(number).ok().filter(|percent| *percent <= 100)
}

fn data(name: &str, parameters: &Parameters, page: Option<&Page>, row: &Value) -> Data {
    let mut data = Data::default();
    if name == PAGE_VIEW {
        data.add_text("url", page.map(|page| page.url.clone()));
        data.add_text("title", parameters.get("page_title").and_then(values::text));
    }
    for (name, value) in parameters {
        if !NOT_DATA.contains(&name.as_str()) {
            data.add(name, value.clone());
        }
    }
    let ecommerce = &row["ecommerce"];
    data.add_text("transaction_id", text(&ecommerce["transaction_id"]));
    if let Some(revenue) = number(&ecommerce["purchase_revenue"]) {
        data.add("purchase_revenue", Value::from(revenue));
    }
    data
}

fn landing(row: &Value, parameters: &Parameters, page: Option<&Page>) -> Landing {
    let collected = &row["collected_traffic_source"];
    // Before 2023 they were parameters of the session's first event alone.
    let told = |column: &str, name: &str| {
        text(&collected[column]).or_else(|| parameter(parameters, name)).as_deref().and_then(tag)
    };
    let tags = Tags {
        source: told("manual_source", "source"),
        medium: told("manual_medium", "medium"),
        campaign: told("manual_campaign_name", "campaign"),
        term: told("manual_term", "term"),
        content: told("manual_content", "content"),
    };
    let from = parameter(parameters, "page_referrer").and_then(|address| referrer(&address, page));
    let clicked = text(&collected["gclid"]).or_else(|| parameter(parameters, "gclid"));
    let engine = clicked.and_then(|_| engine_of_click("gclid"));
    match tags.medium.as_deref() {
        // Where Google finds no campaign, it writes what it makes of the referrer.
        Some("organic") if from.is_some() && tags.campaign.is_none() => {
            Landing { referrer: from, tags: campaign(Tags::default(), page, engine) }
        }
        Some("referral") if tags.campaign.is_none() => {
            let from = from.or_else(|| referrer(tags.source.as_deref()?, page));
            Landing { referrer: from, tags: campaign(Tags::default(), page, engine) }
        }
        _ => Landing { referrer: from, tags: campaign(tags, page, engine) },
    }
}

fn client(row: &Value) -> Client {
    let (device, geo) = (&row["device"], &row["geo"]);
    let web = &device["web_info"];
    let named = |column: &str| text(&web[column]).or_else(|| text(&device[column]));
    let (geo_country_code, geo_country) = match text(&geo["country"]).as_deref().and_then(country_of_name) {
        Some((code, name)) => (code, Some(name)),
        None => (None, None),
    };
    Client {
        browser_name: named("browser").as_deref().and_then(browser),
        browser_version: named("browser_version").as_deref().and_then(short),
        os: text(&device["operating_system"]).as_deref().and_then(system),
        mobile: text(&device["category"]).as_deref().and_then(mobile),
        geo_country,
        geo_country_code,
        geo_city: text(&geo["city"]).as_deref().and_then(short),
        language: text(&device["language"]).as_deref().and_then(short),
        screen: None,
        alias: text(&row["user_id"]).as_deref().and_then(short),
    }
}
