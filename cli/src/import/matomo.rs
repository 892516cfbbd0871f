//! Matomo: visits as the method `Live.getLastVisitsDetails` of its Reporting API answers them in JSON.

use serde_json::Value;

use super::client::{browser, country_of_code, country_of_name, mobile, system};
use super::export::{Context, event};
use super::hit::{Client, Hit, Landing, Tags};
use super::values::{
    self, Data, PAGE_VIEW, Page, campaign, event_name, id, in_range, number, referrer, screen, short, tag, whole,
};

const SOURCE: &str = "matomo";
const MICROS: i64 = 1_000_000;

/// What a visit tells.
pub fn hits(visit: &Value, line: u64, context: &mut Context) -> Result<Vec<Hit>, String> {
    if visit["result"] == "error" {
        return Err(format!("is an error that Matomo answered: {}", text(&visit["message"]).unwrap_or_default()));
    }
    let session = text(&visit["idVisit"]).ok_or("idVisit: is required")?;
    let actions = visit["actionDetails"].as_array().map(Vec::as_slice).unwrap_or_default();
    // Without an identifier, each visit is of a visitor of its own.
    let visitor = match text(&visit["visitorId"]) {
        Some(visitor) => id(SOURCE, &[&visitor]),
        None => id(SOURCE, &["visit", &session]),
    };
    let began = whole(&visit["firstActionTimestamp"]).or_else(|| whole(&visit["serverTimestamp"]));
    let landed = actions.iter().find(|action| action["type"] == "action").and_then(|action| page(action, context));
    let (client, landing) = (client(visit), landing(visit, landed.as_ref()));
    let (mut hits, mut on, mut at) = (Vec::new(), None, began);
    for (position, action) in (0_i64..).zip(actions) {
        at = whole(&action["timestamp"]).or(at);
        let seconds = at.ok_or("actionDetails: timestamp is required")?;
        let Some((name, data)) = described(action, context) else {
            context.lose("actions of other kinds (content, media, forms and others), left out");
            continue;
        };
        if name == PAGE_VIEW {
            on = page(action, context);
        }
        if action["itemDetails"].as_array().is_some_and(|items| !items.is_empty()) {
            context.lose("orders and carts whose items were left out");
        }
        let micros = seconds.checked_mul(MICROS).and_then(in_range);
        let micros = micros.ok_or("actionDetails: timestamp must be Unix seconds")?;
        let mut hit = Hit::new(visitor.clone(), id(SOURCE, &[&session]), micros, line);
        // Times are in seconds; the order within one is that of the list.
        hit.rank = position;
        hit.mark = Some(position.unsigned_abs());
        hit.event = event(name, on.as_ref(), data, context);
        hit.landing = landing.clone();
        hit.client = client.clone();
        hits.push(hit);
    }
    if actions.is_empty() {
        context.lose("visits without any action, left out");
    }
    Ok(hits)
}

/// A text that says anything. Matomo stores what it is sent with HTML's entities.
fn text(value: &Value) -> Option<String> {
    let text = values::text(value)?;
    if !text.contains('&') {
        return Some(text);
    }
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#039;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    Some(entities.iter().fold(text, |text, (entity, character)| text.replace(entity, character)))
}

fn page(action: &Value, context: &Context) -> Option<Page> {
    context.page(&text(&action["url"])?)
}

/// An action's name and data, if it is of a kind that is known.
fn described(action: &Value, context: &Context) -> Option<(String, Data)> {
    let told = |column: &str| text(&action[column]);
    let mut data = Data::default();
    let name = match action["type"].as_str()? {
        "action" => {
            data.add_text("url", page(action, context).map(|page| page.url));
            data.add_text("title", told("pageTitle"));
            PAGE_VIEW.to_owned()
        }
        kind @ ("download" | "outlink") => {
            data.add_text("link", told("url"));
            kind.to_owned()
        }
        "search" => {
            data.add_text("keyword", told("siteSearchKeyword"));
            data.add_text("category", told("siteSearchCategory"));
            data.add_text("results", told("siteSearchCount"));
            "site_search".to_owned()
        }
        "event" => {
            let (category, action_name) = (told("eventCategory"), told("eventAction"));
            let name =
                [category.as_deref(), action_name.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
            data.add_text("category", category);
            data.add_text("action", action_name);
            data.add_text("name", told("eventName"));
            data.add("value", number(&action["eventValue"]).map_or(Value::Null, Value::from));
            event_name(&name)
        }
        "goal" => {
            data.add_text("goal", told("goalName"));
            data.add("revenue", number(&action["revenue"]).map_or(Value::Null, Value::from));
            "goal".to_owned()
        }
        kind @ ("ecommerceOrder" | "ecommerceAbandonedCart") => {
            data.add_text("order_id", told("orderId"));
            data.add("revenue", number(&action["revenue"]).map_or(Value::Null, Value::from));
            data.add("items", whole(&action["items"]).map_or(Value::Null, Value::from));
            if kind == "ecommerceOrder" { "ecommerce_order" } else { "ecommerce_abandoned_cart" }.to_owned()
        }
        _ => return None,
    };
    for (key, value) in action.as_object().into_iter().flatten().filter(|(key, _)| key.starts_with("dimension")) {
        data.add_text(key, text(value));
    }
    Some((name, data))
}

fn landing(visit: &Value, page: Option<&Page>) -> Landing {
    let told = |column: &str| text(&visit[column]);
    let kind = told("referrerType").unwrap_or_default();
    let is_campaign = kind == "campaign";
    // The columns that begin with `campaign` are of the plugin Marketing Campaigns Reporting.
    let named = |columns: [&str; 2]| {
        told(columns[0]).or_else(|| told(columns[1]).filter(|_| is_campaign)).as_deref().and_then(tag)
    };
    let tags = Tags {
        source: told("campaignSource").as_deref().and_then(tag),
        medium: told("campaignMedium").as_deref().and_then(tag),
        campaign: named(["campaignName", "referrerName"]),
        term: named(["campaignKeyword", "referrerKeyword"]),
        content: told("campaignContent").as_deref().and_then(tag),
    };
    // A campaign's source and medium are in the landing page's address, if anywhere.
    let tagged = campaign(Tags::default(), page, None);
    let tags = if tags.source.is_none() && !tagged.are_none() { tagged } else { tags };
    let from = told("referrerUrl")
        .or_else(|| told("referrerSearchEngineUrl"))
        .or_else(|| told("referrerSocialNetworkUrl"))
        .or_else(|| told("referrerName").filter(|_| kind == "website"));
    Landing { referrer: from.filter(|_| kind != "direct").and_then(|address| referrer(&address, page)), tags }
}

fn client(visit: &Value) -> Client {
    let told = |column: &str| text(&visit[column]);
    let coded = told("countryCode").as_deref().and_then(country_of_code).map(|(code, name)| (Some(code), name));
    let (geo_country_code, geo_country) = match coded.or_else(|| country_of_name(&told("country")?)) {
        Some((code, name)) => (code, Some(name)),
        None => (None, None),
    };
    Client {
        browser_name: told("browserName").as_deref().and_then(browser),
        browser_version: told("browserVersion").as_deref().and_then(short),
        os: told("operatingSystemName").or_else(|| told("operatingSystem")).as_deref().and_then(system),
        mobile: told("deviceType").as_deref().and_then(mobile),
        geo_country,
        geo_country_code,
        geo_city: told("city").filter(|city| city != "Unknown").as_deref().and_then(short),
        language: told("languageCode").as_deref().and_then(short),
        screen: told("resolution").as_deref().and_then(screen),
        alias: told("userId").as_deref().and_then(short),
    }
}
