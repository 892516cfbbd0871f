//! The slow, obvious model of the API: it holds what was sent, in the order of storage, and answers
//! every request from that alone, by scanning all of it.
//!
//! It shares no code with the product, so that the two can only agree by both being right.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate};
use serde_json::{Value, json};

use crate::sent::{self, Sent};

/// Above this score a visitor is a bot.
const MAX_HUMAN_SCORE: u8 = 40;
pub(crate) const DEFAULT_LIMIT: usize = 50;
pub(crate) const MAX_LIMIT: usize = 100;
const MAX_DETAIL_ROWS: usize = 100;
const MAX_SESSION_EVENTS: usize = 500;
const MAX_LIVE_ROWS: usize = 500;

/// One project's stored batches.
#[derive(Debug, Clone, Default)]
pub struct Oracle {
    batches: Vec<Sent>,
    ids: BTreeMap<EventKey, u64>,
}

/// An event by what its sender knows of it: visitor, session, batch, position in the batch.
type EventKey = (String, String, String, usize);

/// An answer: the status, and the body; of an error only its code.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

/// A session's batches, in the order of storage.
#[derive(Debug, Clone)]
pub(crate) struct Visit<'a> {
    batches: Vec<&'a Sent>,
}

/// A visitor's batches, in the order of storage.
#[derive(Debug, Clone)]
pub(crate) struct Person<'a> {
    batches: Vec<&'a Sent>,
}

/// An event with where it came from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Happening<'a> {
    pub(crate) batch: &'a Sent,
    position: usize,
    pub(crate) event: &'a sent::Event,
}

/// Days from the first to the last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    first: NaiveDate,
    last: NaiveDate,
}

/// The parameters of a request.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a>(pub &'a [(&'static str, String)]);

impl Query<'_> {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| *given == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn number(&self, name: &str, default: usize) -> usize {
        self.get(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
    }

    pub(crate) fn range(&self, today: NaiveDate) -> Range {
        let day = |name: &str| self.get(name).map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")));
        let last: NaiveDate = day("end_date").unwrap_or(today);
        Range { first: day("start_date").unwrap_or(last - Days::new(29)), last }
    }
}

impl Range {
    pub(crate) fn holds(&self, instant: i64) -> bool {
        self.first <= day_of(instant) && day_of(instant) <= self.last
    }
}

/// The UTC day of an instant.
pub fn day_of(instant: i64) -> NaiveDate {
    DateTime::from_timestamp_millis(instant).unwrap_or_else(|| panic!("{instant} is no instant")).date_naive()
}

/// ⌊n/d + 1/2⌋ of positive numbers, in whole units.
pub(crate) fn half_up(numerator: i64, denominator: i64) -> i64 {
    if denominator == 0 { 0 } else { (2 * numerator + denominator) / (2 * denominator) }
}

/// n/d rounded half up to one decimal.
pub(crate) fn one_decimal(numerator: i64, denominator: i64) -> f64 {
    half_up(10 * numerator, denominator) as f64 / 10.0
}

fn folded_eq(wanted: &str, given: Option<&str>) -> bool {
    given.is_some_and(|given| given.to_lowercase() == wanted.to_lowercase())
}

fn folded_contains(wanted: &str, given: Option<&str>) -> bool {
    given.is_some_and(|given| given.to_lowercase().contains(&wanted.to_lowercase()))
}

/// The instants of a batch: those of its events, or when it was sent if it has none.
fn instants(batch: &Sent) -> Vec<i64> {
    if batch.events.is_empty() {
        vec![batch.sent_at]
    } else {
        batch.events.iter().map(|event| event.created_at).collect()
    }
}

fn latest(batch: &Sent) -> i64 {
    instants(batch).into_iter().fold(i64::MIN, i64::max)
}

impl<'a> Visit<'a> {
    pub(crate) fn first(&self) -> &'a Sent {
        self.batches[0]
    }

    fn session_id(&self) -> &'a str {
        &self.first().session.session_id
    }

    pub(crate) fn started_at(&self) -> i64 {
        self.first().session.started_at
    }

    /// Every instant known of it.
    fn instants(&self) -> Vec<i64> {
        let mut all = vec![self.started_at()];
        all.extend(self.batches.iter().flat_map(|batch| instants(batch)));
        all
    }

    /// A session ends a day after its start at most.
    fn ended_at(&self) -> i64 {
        self.instants().into_iter().fold(i64::MIN, i64::max).min(self.started_at() + 86_400_000)
    }

    pub(crate) fn duration_ms(&self) -> i64 {
        self.ended_at() - self.started_at()
    }

    pub(crate) fn happenings(&self) -> Vec<Happening<'a>> {
        self.batches.iter().flat_map(|batch| happenings(batch)).collect()
    }

    pub(crate) fn page_views(&self) -> usize {
        self.happenings().iter().filter(|happening| happening.is_page_view()).count()
    }

    /// Newest first, by start, then by id.
    fn order(&self) -> (i64, &'a str) {
        (self.started_at(), self.session_id())
    }

    fn row(&self) -> Value {
        let first = self.first();
        let (session, visitor) = (&first.session, &first.visitor);
        json!({
            "session_id": session.session_id,
            "visitor_id": visitor.visitor_id,
            "url": session.url,
            "referrer": session.referrer,
            "utm_source": session.utm_source,
            "utm_medium": session.utm_medium,
            "utm_campaign": session.utm_campaign,
            "utm_term": session.utm_term,
            "utm_content": session.utm_content,
            "started_at": session.started_at,
            "ended_at": self.ended_at(),
            "duration_ms": self.duration_ms(),
            "click_count": self.batches.iter().filter_map(|batch| batch.session.click_count).max(),
            "max_scroll_depth": self.batches.iter().filter_map(|batch| batch.session.max_scroll_depth).max(),
            "page_views": self.page_views(),
            "event_count": self.happenings().len(),
            "browser_name": visitor.browser_name,
            "os": visitor.os,
            "geo_country_code": visitor.geo_country_code,
            "geo_city": visitor.geo_city,
        })
    }

    /// Whether the visit passes the filters of the list of visitors.
    fn passes(&self, query: Query<'_>) -> bool {
        let at = &self.first().visitor;
        let equals = |name: &str, given: &Option<String>| {
            query.get(name).is_none_or(|wanted| folded_eq(wanted, given.as_deref()))
        };
        let found = |wanted: &str| {
            let searched = [
                Some(&at.visitor_id),
                at.browser_name.as_ref(),
                at.os.as_ref(),
                at.geo_country.as_ref(),
                at.geo_country_code.as_ref(),
                at.geo_city.as_ref(),
                at.ip.as_ref(),
            ];
            searched.into_iter().any(|given| folded_contains(wanted, given.map(String::as_str)))
        };
        equals("browser", &at.browser_name)
            && equals("os", &at.os)
            && equals("country", &at.geo_country_code)
            && query.get("search").is_none_or(found)
    }
}

impl<'a> Person<'a> {
    pub(crate) fn id(&self) -> &'a str {
        &self.batches[0].visitor.visitor_id
    }

    fn bot_score(&self) -> u8 {
        self.batches.iter().filter_map(|batch| batch.visitor.bot_score).max().unwrap_or(0)
    }

    fn is_bot(&self) -> bool {
        self.bot_score() > MAX_HUMAN_SCORE
    }

    /// Its sessions, newest first.
    pub(crate) fn visits(&self) -> Vec<Visit<'a>> {
        let mut sessions: BTreeMap<&str, Vec<&'a Sent>> = BTreeMap::new();
        for batch in &self.batches {
            sessions.entry(&batch.session.session_id).or_default().push(batch);
        }
        let mut visits: Vec<_> = sessions.into_values().map(|batches| Visit { batches }).collect();
        visits.sort_by(|a, b| b.order().cmp(&a.order()));
        visits
    }

    /// Its newest session in a range.
    fn visit_in(&self, range: Range) -> Option<Visit<'a>> {
        self.visits().into_iter().find(|visit| range.holds(visit.started_at()))
    }

    fn first_visit_day(&self) -> Option<NaiveDate> {
        self.visits().iter().map(|visit| day_of(visit.started_at())).min()
    }

    /// Every instant known of it.
    fn instants(&self) -> Vec<i64> {
        self.visits().iter().flat_map(Visit::instants).collect()
    }

    /// The batch with the latest instant; of several, the one stored last.
    fn latest_batch(&self) -> &'a Sent {
        let mut found = self.batches[0];
        for batch in &self.batches {
            if latest(batch) >= latest(found) {
                found = batch;
            }
        }
        found
    }

    fn aliases(&self) -> Vec<&'a str> {
        let mut linked: Vec<&str> = Vec::new();
        for alias in self.batches.iter().flat_map(|batch| &batch.visitor.aliases) {
            if !linked.contains(&alias.as_str()) {
                linked.push(alias);
            }
        }
        linked
    }

    fn row(&self) -> Value {
        let profile = &self.latest_batch().visitor;
        let instants = self.instants();
        json!({
            "visitor_id": self.id(),
            "fingerprint_hash": profile.fingerprint_hash,
            "first_seen_at": instants.iter().min(),
            "last_seen_at": instants.iter().max(),
            "visit_count": self.visits().len(),
            "browser_name": profile.browser_name,
            "browser_version": profile.browser_version,
            "os": profile.os,
            "mobile": profile.mobile,
            "screen_width": profile.screen_width,
            "screen_height": profile.screen_height,
            "timezone": profile.timezone,
            "language": profile.language,
            "geo_country": profile.geo_country,
            "geo_country_code": profile.geo_country_code,
            "geo_city": profile.geo_city,
            "bot_score": self.bot_score(),
            "ad_block": profile.ad_block,
        })
    }

    fn live_row(&self) -> Value {
        let batch = self.latest_batch();
        let mut page = batch.page.as_deref();
        let mut at = i64::MIN;
        for event in &batch.events {
            if event.created_at >= at {
                (at, page) = (event.created_at, batch.page_of(event));
            }
        }
        json!({
            "visitor_id": self.id(),
            "session_id": batch.session.session_id,
            "current_page": page,
            "browser_name": batch.visitor.browser_name,
            "geo_country": batch.visitor.geo_country,
            "geo_city": batch.visitor.geo_city,
            "last_seen_at": latest(batch),
        })
    }
}

fn happenings(batch: &Sent) -> Vec<Happening<'_>> {
    let place = |(position, event)| Happening { batch, position, event };
    batch.events.iter().enumerate().map(place).collect()
}

impl Happening<'_> {
    pub(crate) fn is_page_view(&self) -> bool {
        self.event.name == "page_view"
    }

    fn key(&self) -> EventKey {
        let batch = self.batch;
        (batch.visitor.visitor_id.clone(), batch.session.session_id.clone(), batch.batch_id.clone(), self.position)
    }

    /// The row of the list of events, but for its id.
    fn row(&self) -> Value {
        json!({
            "name": self.event.name,
            "data": self.event.data,
            "url": self.batch.page_of(self.event),
            "created_at": self.event.created_at,
            "session_id": self.batch.session.session_id,
            "visitor_id": self.batch.visitor.visitor_id,
        })
    }
}

impl Oracle {
    /// Stores a batch, unless it was stored before. Says whether it did.
    pub fn store(&mut self, batch: Sent) -> bool {
        let is_same = |stored: &Sent| {
            stored.batch_id == batch.batch_id
                && stored.session.session_id == batch.session.session_id
                && stored.visitor.visitor_id == batch.visitor.visitor_id
        };
        let known = self.batches.iter().any(is_same);
        if !known {
            self.batches.push(batch);
        }
        !known
    }

    /// The same, had a visitor never come.
    #[must_use]
    pub fn without(&self, visitor: &str) -> Oracle {
        let others = self.batches.iter().filter(|batch| batch.visitor.visitor_id != visitor);
        Oracle { batches: others.cloned().collect(), ids: BTreeMap::new() }
    }

    /// The same, had no score ever been sent of a visitor.
    #[must_use]
    pub fn trusting(&self, visitor: &str) -> Oracle {
        let mut trusting = Oracle { batches: self.batches.clone(), ids: BTreeMap::new() };
        for batch in trusting.batches.iter_mut().filter(|batch| batch.visitor.visitor_id == visitor) {
            batch.visitor.bot_score = None;
        }
        trusting
    }

    /// What was stored, in that order.
    pub fn batches(&self) -> &[Sent] {
        &self.batches
    }

    /// Every visitor that ever sent anything.
    pub fn visitor_ids(&self) -> BTreeSet<&str> {
        self.batches.iter().map(|batch| batch.visitor.visitor_id.as_str()).collect()
    }

    /// Every session id that was ever sent.
    pub fn session_ids(&self) -> BTreeSet<&str> {
        self.batches.iter().map(|batch| batch.session.session_id.as_str()).collect()
    }

    /// Learns the ids that the API gives to a visitor's events, from all rows of its list of events. Events
    /// that nothing but their id tells apart are given their ids in any order.
    ///
    /// # Errors
    /// If the rows are not exactly the visitor's events, each with an id that no other event has.
    pub fn learn_ids(&mut self, visitor: &str, rows: &[Value]) -> Result<(), String> {
        let mut given: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for row in rows {
            let mut row = row.as_object().ok_or("an event is no object")?.clone();
            let id = row.remove("id").and_then(|id| id.as_u64()).ok_or("an event has no integer id")?;
            if id >= 1 << 53 {
                return Err(format!("id {id} is beyond what every JSON reader takes exactly"));
            }
            given.entry(canonical(&Value::Object(row))).or_default().push(id);
        }
        let mut learned = BTreeMap::new();
        for happening in self.batches.iter().filter(|batch| batch.visitor.visitor_id == visitor).flat_map(happenings) {
            let row = canonical(&happening.row());
            let id = given.get_mut(&row).and_then(Vec::pop).ok_or(format!("the list of events lacks {row}"))?;
            learned.insert(happening.key(), id);
        }
        if let Some((row, _)) = given.iter().find(|(_, ids)| !ids.is_empty()) {
            return Err(format!("the list of events has one too many of {row}"));
        }
        self.ids.extend(learned);
        let distinct: BTreeSet<_> = self.ids.values().collect();
        if distinct.len() == self.ids.len() { Ok(()) } else { Err("two events have one id".to_owned()) }
    }

    /// Answers a request, as of an instant.
    pub fn answer(&self, path: &str, query: Query<'_>, now: i64) -> Answer {
        let today = day_of(now);
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let body = match parts.as_slice() {
            ["visitors"] => Some(self.visitors(query, today)),
            ["visitors", id] => self.visitor(id),
            ["sessions"] => Some(self.sessions(query, today)),
            ["sessions", id] => self.session(id),
            ["events"] => Some(self.events(query, today)),
            ["events", "types"] => Some(self.event_types(query, today)),
            ["stats"] => Some(self.stats(query, today)),
            ["live"] => Some(self.live(query, now)),
            _ => None,
        };
        match body {
            Some(body) => Answer { status: 200, body },
            None => Answer { status: 404, body: json!("not_found") },
        }
    }

    fn people(&self) -> Vec<Person<'_>> {
        let mut people: BTreeMap<&str, Vec<&Sent>> = BTreeMap::new();
        for batch in &self.batches {
            people.entry(&batch.visitor.visitor_id).or_default().push(batch);
        }
        people.into_values().map(|batches| Person { batches }).collect()
    }

    pub(crate) fn humans(&self) -> Vec<Person<'_>> {
        self.people().into_iter().filter(|person| !person.is_bot()).collect()
    }

    fn person(&self, id: &str) -> Option<Person<'_>> {
        self.people().into_iter().find(|person| person.id() == id)
    }

    /// Of all sessions with an id, the one that was stored first.
    fn visit(&self, id: &str) -> Option<Visit<'_>> {
        let first = self.batches.iter().find(|batch| batch.session.session_id == id)?;
        let is_of_it =
            |batch: &&Sent| batch.session.session_id == id && batch.visitor.visitor_id == first.visitor.visitor_id;
        Some(Visit { batches: self.batches.iter().filter(is_of_it).collect() })
    }

    fn id(&self, happening: Happening<'_>) -> Option<u64> {
        self.ids.get(&happening.key()).copied()
    }

    fn newest_first<'a>(&self, mut happenings: Vec<Happening<'a>>) -> Vec<Happening<'a>> {
        happenings.sort_by_cached_key(|happening| std::cmp::Reverse((happening.event.created_at, self.id(*happening))));
        happenings
    }

    fn visitors(&self, query: Query<'_>, today: NaiveDate) -> Value {
        let range = query.range(today);
        let mut active: Vec<(Visit<'_>, Person<'_>)> = self
            .humans()
            .into_iter()
            .filter_map(|person| Some((person.visit_in(range)?, person)))
            .filter(|(visit, _)| visit.passes(query))
            .collect();
        active.sort_by(|(a, _), (b, _)| b.order().cmp(&a.order()));
        page(query, &active, |(_, person)| person.row())
    }

    fn visitor(&self, id: &str) -> Option<Value> {
        let person = self.person(id)?;
        let session_row = |visit: &Visit<'_>| {
            json!({
                "session_id": visit.session_id(),
                "url": visit.first().session.url,
                "started_at": visit.started_at(),
                "duration_ms": visit.duration_ms(),
            })
        };
        let sessions: Vec<Value> = person.visits().iter().take(MAX_DETAIL_ROWS).map(session_row).collect();
        let happened = person.batches.iter().flat_map(|batch| happenings(batch)).collect();
        let events: Vec<Value> = self
            .newest_first(happened)
            .iter()
            .take(MAX_DETAIL_ROWS)
            .map(|happening| self.detail_event(happening))
            .collect();
        let mut row = person.row();
        row["aliases"] = json!(person.aliases());
        row["sessions"] = json!(sessions);
        row["events"] = json!(events);
        Some(json!({ "data": row }))
    }

    fn sessions(&self, query: Query<'_>, today: NaiveDate) -> Value {
        let range = query.range(today);
        let people = match query.get("visitor_id") {
            Some(id) => self.person(id).into_iter().collect(),
            None => self.humans(),
        };
        let mut visits: Vec<Visit<'_>> = people.iter().flat_map(Person::visits).collect();
        visits.retain(|visit| range.holds(visit.started_at()));
        if let Some(wanted) = query.get("url") {
            visits.retain(|visit| folded_contains(wanted, visit.first().session.url.as_deref()));
        }
        visits.sort_by(|a, b| b.order().cmp(&a.order()));
        page(query, &visits, Visit::row)
    }

    fn session(&self, id: &str) -> Option<Value> {
        let visit = self.visit(id)?;
        // Stable, so ties of one batch stay in the order it was written in.
        let mut happened = visit.happenings();
        happened.sort_by_key(|happening| (happening.event.created_at, happening.batch.sent_at));
        let events: Vec<Value> =
            happened.iter().take(MAX_SESSION_EVENTS).map(|happening| self.event(happening)).collect();
        let mut row = visit.row();
        row["dropped_events"] = json!(0);
        row["events"] = json!(events);
        Some(json!({ "data": row }))
    }

    /// A row of the list of events.
    fn event(&self, happening: &Happening<'_>) -> Value {
        let mut row = happening.row();
        row["id"] = json!(self.id(*happening));
        row
    }

    /// A row of a visitor's events.
    fn detail_event(&self, happening: &Happening<'_>) -> Value {
        let mut row = self.event(happening);
        if let Some(row) = row.as_object_mut() {
            row.retain(|key, _| ["id", "name", "data", "created_at"].contains(&key.as_str()));
        }
        row
    }

    fn events(&self, query: Query<'_>, today: NaiveDate) -> Value {
        let range = query.range(today);
        let (visitor, session) = (query.get("visitor_id"), query.get("session_id"));
        let batches: Vec<&Sent> = match (visitor, session) {
            (None, None) => self.humans().into_iter().flat_map(|person| person.batches).collect(),
            (Some(id), None) => self.person(id).map(|person| person.batches).unwrap_or_default(),
            (_, Some(id)) => self.visit(id).map(|visit| visit.batches).unwrap_or_default(),
        };
        let mut happened: Vec<Happening<'_>> = batches.into_iter().flat_map(happenings).collect();
        happened.retain(|happening| {
            range.holds(happening.event.created_at)
                && visitor.is_none_or(|id| happening.batch.visitor.visitor_id == id)
                && query.get("type").is_none_or(|name| happening.event.name == name)
        });
        page(query, &self.newest_first(happened), |happening| self.event(happening))
    }

    pub(crate) fn human_events(&self, range: Range) -> Vec<Happening<'_>> {
        let batches = self.humans().into_iter().flat_map(|person| person.batches);
        batches.flat_map(happenings).filter(|happening| range.holds(happening.event.created_at)).collect()
    }

    fn event_types(&self, query: Query<'_>, today: NaiveDate) -> Value {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for happening in self.human_events(query.range(today)) {
            *counts.entry(&happening.event.name).or_default() += 1;
        }
        let mut ranking: Vec<(&str, u64)> = counts.into_iter().collect();
        ranking.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
        let rows: Vec<Value> = ranking.iter().map(|(name, count)| json!({ "name": name, "count": count })).collect();
        json!({ "data": rows })
    }

    fn stats(&self, query: Query<'_>, today: NaiveDate) -> Value {
        let range = query.range(today);
        let humans = self.humans();
        let active: Vec<&Person<'_>> = humans.iter().filter(|person| person.visit_in(range).is_some()).collect();
        let is_new =
            |person: &&&Person<'_>| person.first_visit_day().is_some_and(|day| range.first <= day && day <= range.last);
        let new = active.iter().filter(is_new).count();
        let visits: Vec<Visit<'_>> =
            humans.iter().flat_map(Person::visits).filter(|visit| range.holds(visit.started_at())).collect();
        let happened = self.human_events(range);
        let page_views = happened.iter().filter(|happening| happening.is_page_view()).count();
        let bounces = visits.iter().filter(|visit| visit.page_views() <= 1).count();
        let duration_ms: i64 = visits.iter().map(Visit::duration_ms).sum();
        let sessions = visits.len() as i64;
        let mut data = json!({
            "total_visitors": active.len(),
            "new_visitors": new,
            "returning_visitors": active.len() - new,
            "total_sessions": sessions,
            "total_page_views": page_views,
            "total_events": happened.len(),
            "bounce_rate": one_decimal(100 * bounces as i64, sessions),
            "avg_session_duration_ms": half_up(duration_ms, sessions),
            "avg_pages_per_session": one_decimal(page_views as i64, sessions),
            "period": { "start_date": range.first.to_string(), "end_date": range.last.to_string() },
        });
        if query.get("interval") == Some("day") {
            data["series"] = json!(self.series(range, today));
        }
        json!({ "data": data })
    }

    /// A row for every day of the range from the first that holds anything, bots' too, to today.
    fn series(&self, range: Range, today: NaiveDate) -> Vec<Value> {
        let people = self.people();
        let starts = people.iter().flat_map(Person::visits).map(|visit| day_of(visit.started_at()));
        let events = self.batches.iter().flat_map(|batch| &batch.events).map(|event| day_of(event.created_at));
        let Some(first_of_project) = starts.chain(events).min() else { return Vec::new() };
        let first = range.first.max(first_of_project);
        let last = range.last.min(today);
        first.iter_days().take_while(|day| *day <= last).map(|day| self.series_row(day)).collect()
    }

    fn series_row(&self, day: NaiveDate) -> Value {
        let range = Range { first: day, last: day };
        let humans = self.humans();
        let happened = self.human_events(range);
        let starts = humans.iter().flat_map(Person::visits).filter(|visit| range.holds(visit.started_at()));
        json!({
            "date": day.to_string(),
            "visitors": humans.iter().filter(|person| person.visit_in(range).is_some()).count(),
            "sessions": starts.count(),
            "page_views": happened.iter().filter(|happening| happening.is_page_view()).count(),
            "events": happened.len(),
        })
    }

    fn live(&self, query: Query<'_>, now: i64) -> Value {
        let since = now - 60_000 * query.number("threshold_minutes", 5) as i64;
        let humans = self.humans();
        let mut live: Vec<&Person<'_>> = humans.iter().filter(|person| latest(person.latest_batch()) > since).collect();
        live.sort_by_key(|person| (std::cmp::Reverse(latest(person.latest_batch())), person.id()));
        let rows: Vec<Value> = live.iter().take(MAX_LIVE_ROWS).map(|person| person.live_row()).collect();
        json!({ "data": rows, "count": live.len() })
    }
}

/// A page of a list and where it stands in it.
fn page<T>(query: Query<'_>, listed: &[T], row: impl Fn(&T) -> Value) -> Value {
    let number = query.number("page", 1);
    let limit = query.number("limit", DEFAULT_LIMIT).min(MAX_LIMIT);
    let total = listed.len();
    let total_pages = total.div_ceil(limit);
    let data: Vec<Value> = listed.iter().skip((number - 1).saturating_mul(limit)).take(limit).map(row).collect();
    json!({
        "data": data,
        "pagination": {
            "total": total,
            "page": number,
            "limit": limit,
            "total_pages": total_pages,
            "has_next": number < total_pages,
            "has_prev": number > 1,
        },
    })
}

/// A value's text, the same for equal values whatever the order of their keys.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<&String, String> = fields.iter().map(|(key, value)| (key, canonical(value))).collect();
            format!("{sorted:?}")
        }
        Value::Array(values) => format!("{:?}", values.iter().map(canonical).collect::<Vec<_>>()),
        other => other.to_string(),
    }
}
