//! Rows of visitors.

use std::collections::HashMap;

use futures::stream::TryStreamExt;
use serde::Serialize;

use figures::ids::{ProjectId, VisitorId};
use figures::model::Visitor;
use figures::table::keys::{self, Key};
use figures::table::store::{Consistency, Store, StoreError, read_packed};
use figures::time::Millis;

/// A visitor as the API shows it. Its address is never shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VisitorRow {
    visitor_id: VisitorId,
    fingerprint_hash: Option<String>,
    first_seen_at: Millis,
    last_seen_at: Millis,
    visit_count: u32,
    browser_name: Option<String>,
    browser_version: Option<String>,
    os: Option<String>,
    mobile: Option<u8>,
    screen_width: Option<u32>,
    screen_height: Option<u32>,
    timezone: Option<String>,
    language: Option<String>,
    geo_country: Option<String>,
    geo_country_code: Option<String>,
    geo_city: Option<String>,
    bot_score: u8,
    ad_block: Option<u8>,
}

impl VisitorRow {
    /// The row of a visitor.
    pub fn new(visitor_id: VisitorId, visitor: Visitor) -> Self {
        let facts = visitor.profile.facts;
        VisitorRow {
            visitor_id,
            fingerprint_hash: facts.fingerprint_hash,
            first_seen_at: visitor.first_seen_at,
            last_seen_at: visitor.last_seen_at,
            visit_count: visitor.visit_count,
            browser_name: facts.browser_name,
            browser_version: facts.browser_version,
            os: facts.os,
            mobile: facts.mobile,
            screen_width: facts.screen_width,
            screen_height: facts.screen_height,
            timezone: facts.timezone,
            language: facts.language,
            geo_country: facts.geo_country,
            geo_country_code: facts.geo_country_code,
            geo_city: facts.geo_city,
            bot_score: visitor.bot_score,
            ad_block: facts.ad_block,
        }
    }
}

/// Reads a visitor.
pub async fn read(store: &Store, project: &ProjectId, id: &VisitorId) -> Result<Option<Visitor>, StoreError> {
    let item = store.get(&keys::visitor(project, id), Consistency::Eventual).await?;
    item.as_ref().map(read_packed).transpose()
}

/// Reads visitors together, and makes a row of each; those that don't exist are left out.
///
/// One visitor may come to a hundred kilobytes, and five hundred may be asked for: each is dropped once its row is made.
pub async fn read_many<T>(
    store: &Store,
    project: &ProjectId,
    ids: impl IntoIterator<Item = &VisitorId>,
    row: impl Fn(VisitorId, Visitor) -> T,
) -> Result<HashMap<VisitorId, T>, StoreError> {
    let ids: HashMap<Key, &VisitorId> = ids.into_iter().map(|id| (keys::visitor(project, id), id)).collect();
    let mut chunks = store.get_chunks(ids.keys().cloned().collect(), Consistency::Eventual);
    let mut rows = HashMap::with_capacity(ids.len());
    while let Some(items) = chunks.try_next().await? {
        for (key, item) in items {
            if let Some(id) = ids.get(&key) {
                rows.insert((*id).clone(), row((*id).clone(), read_packed(&item)?));
            }
        }
    }
    Ok(rows)
}
