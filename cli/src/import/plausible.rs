//! Plausible: rows of the table `events_v2` in its ClickHouse database, as JSON, one a line (`FORMAT JSONEachRow`).

use figures::channels::engine_of_click;
use serde_json::Value;

use super::client::{browser, country_of_code, mobile, system};
use super::export::{Context, Export, Stop, event};
use super::hit::{Client, Hit, Landing, Tags};
use super::input::Text;
use super::values::{Data, PAGE_VIEW, Page, campaign, event_name, id, micros_of, referrer, short, tag, text, whole};

const SOURCE: &str = "plausible";

/// Why what Plausible's own export holds can't be imported.
pub const TOTALS: &str = "Plausible's own export (imported_visitors_*.csv and others) holds totals by day: no visits, from which \
    alone figures are made here, can be told from them. Plausible Community Edition has them in its database: export \
    the table events_v2 as JSONEachRow, as `identity import --help` shows";

/// Columns of the files in Plausible's own export.
const TOTALS_BEGIN: [&[u8]; 2] = [b"date,", b"\"date\","];

/// Reads rows.
pub fn read(mut text: Text, export: &mut Export) -> Result<(), Stop> {
    let head = text.fill_buf().map_err(|error| Stop::Unreadable(0, error))?;
    if TOTALS_BEGIN.iter().any(|begin| head.starts_with(begin)) {
        return Err(Stop::Strange(TOTALS.to_owned()));
    }
    export.read_objects(text, hits)
}

/// What a row tells.
pub fn hits(row: &Value, line: u64, context: &mut Context) -> Result<Vec<Hit>, String> {
    let name = text(&row["name"]).ok_or("name: is required")?;
    let micros =
        text(&row["timestamp"]).as_deref().and_then(micros_of).ok_or("timestamp: must be 2024-06-25 08:00:00")?;
    let user = text(&row["user_id"]).ok_or("user_id: is required")?;
    let session = text(&row["session_id"]).ok_or("session_id: is required")?;
    let host = text(&row["hostname"]).unwrap_or_default();
    let path = text(&row["pathname"]);
    let page = path.as_deref().and_then(|path| {
        if path.starts_with('/') { context.page(&format!("{host}{path}")) } else { context.page(path) }
    });
    if whole(&row["city_geoname_id"]).is_some_and(|city| city != 0) {
        context.lose("events whose city is known by a number alone, left out");
    }
    let mut hit = Hit::new(id(SOURCE, &[&user]), id(SOURCE, &[&user, &session]), micros, line);
    hit.scroll_depth =
        whole(&row["scroll_depth"]).and_then(|depth| u8::try_from(depth).ok()).filter(|depth| *depth <= 100);
    hit.landing = landing(row, page.as_ref());
    hit.client = client(row);
    let (name, data) = described(&name, row, page.as_ref(), hit.scroll_depth);
    hit.event = event(name, page.as_ref(), data, context);
    Ok(vec![hit])
}

fn described(name: &str, row: &Value, page: Option<&Page>, scroll_depth: Option<u8>) -> (String, Data) {
    let mut data = Data::default();
    let name = match name {
        "pageview" => {
            data.add_text("url", page.map(|page| page.url.clone()));
            PAGE_VIEW.to_owned()
        }
        "engagement" | "pageleave" => {
            data.add("scroll_depth", scroll_depth.map_or(Value::Null, Value::from));
            data.add("engagement_time_ms", whole(&row["engagement_time"]).map_or(Value::Null, Value::from));
            name.to_owned()
        }
        other => event_name(other),
    };
    let (keys, values) = (row["meta.key"].as_array(), row["meta.value"].as_array());
    for (key, value) in keys.into_iter().flatten().zip(values.into_iter().flatten()) {
        if let Some(key) = key.as_str() {
            data.add(key, value.clone());
        }
    }
    if let Some(amount) = text(&row["revenue_reporting_amount"]) {
        data.add("revenue", Value::String(amount));
        data.add_text("currency", text(&row["revenue_reporting_currency"]));
    }
    (name, data)
}

fn landing(row: &Value, page: Option<&Page>) -> Landing {
    let told = |column: &str| text(&row[column]).as_deref().and_then(tag);
    // Where an address tells an ad's click and no campaign, Plausible writes `(gclid)` as medium.
    let (medium, clicked) = match told("utm_medium") {
        Some(medium) if medium.starts_with('(') => (None, Some(medium.trim_matches(['(', ')']).to_owned())),
        medium => (medium, told("click_id_param")),
    };
    let tags = Tags {
        source: told("utm_source"),
        medium,
        campaign: told("utm_campaign"),
        term: told("utm_term"),
        content: told("utm_content"),
    };
    let from = text(&row["referrer"]).and_then(|address| referrer(&address, page));
    let mut tags = campaign(tags, page, clicked.as_deref().and_then(engine_of_click));
    if tags.are_none() && from.is_none() {
        // It is then of the address's `ref` or `source`.
        tags.source = told("referrer_source").filter(|source| source != "Direct / None");
    }
    Landing { referrer: from, tags }
}

fn client(row: &Value) -> Client {
    let told = |column: &str| text(&row[column]);
    let (geo_country_code, geo_country) = told("country_code").as_deref().and_then(country_of_code).unzip();
    Client {
        browser_name: told("browser").as_deref().and_then(browser),
        browser_version: told("browser_version").as_deref().and_then(short),
        os: told("operating_system").as_deref().and_then(system),
        mobile: told("screen_size").as_deref().and_then(mobile),
        geo_country,
        geo_country_code,
        ..Client::default()
    }
}
