//! The model's rankings: pages, insights, acquisition, audience and metrics.
//!
//! As the rest of the model they are counted by scanning all that was sent. Only how a referrer and a campaign
//! are classified is the product's own: tables of sites are data, not a figure.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use figures::channels::{Source, channel, referrer_host};
use figures::site::HostPattern;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::oracle::{
    DEFAULT_LIMIT, Happening, MAX_LIMIT, Oracle, Person, Query, Range, Visit, day_of, half_up, one_decimal,
};
use crate::sent::{Event, Session, Visitor};

/// The hosts of every project's own site.
pub const OWN_HOSTS: [&str; 2] = ["shop.example", "www.Other.example"];

/// The characters of a message that tell errors apart.
const MESSAGE_CHARS: usize = 256;
/// A page view this soon after the session's previous one is a rapid navigation.
const RAPID_MS: i64 = 2_000;
const MAX_SCORE: i64 = 100;
/// No measurement is larger.
const MAX_MEASURED: f64 = 1e9;
/// Different values of a vital on one day up to which its percentile is exact.
const MAX_EXACT_VALUES: usize = 800;
/// How far off in rank it may be beyond.
const RANK_TOLERANCE: f64 = 0.01;
/// Ways in which ties may be broken that are tried out.
const MAX_TIES: usize = 20_000;

/// The vitals with web.dev's thresholds: up to the first it is good, above the second poor.
const VITALS: [(&str, f64, f64); 6] = [
    ("lcp", 2_500.0, 4_000.0),
    ("inp", 200.0, 500.0),
    ("fid", 100.0, 300.0),
    ("cls", 0.1, 0.25),
    ("fcp", 1_800.0, 3_000.0),
    ("ttfb", 800.0, 1_800.0),
];

/// A row's key; an unknown text is before every known one.
type Key<const N: usize> = [Option<String>; N];

/// A range and how many rows each ranking of it has.
#[derive(Debug, Clone, Copy)]
struct Asked {
    range: Range,
    limit: usize,
}

/// Numbers added up in thousandths.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    count: i64,
    thousandths: i64,
}

impl Sum {
    fn add(&mut self, number: Option<f64>) {
        if let Some(number) = number {
            self.count += 1;
            self.thousandths += (number * 1_000.0).round() as i64;
        }
    }

    fn mean(&self) -> i64 {
        half_up(self.thousandths, 1_000 * self.count)
    }

    fn mean_to_one_decimal(&self) -> f64 {
        one_decimal(self.thousandths, 1_000 * self.count)
    }
}

impl Happening<'_> {
    fn field(&self, name: &str) -> Option<&Value> {
        self.event.data.as_ref()?.get(name)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.field(name)?.as_str().map(kept)
    }

    /// The beginning of its message, as errors are told apart.
    fn message(&self) -> Option<String> {
        let message = self.field("message")?.as_str()?;
        Some(kept(&message.chars().take(MESSAGE_CHARS).collect::<String>()))
    }

    fn number(&self, name: &str) -> Option<f64> {
        number(self.event, name)
    }

    /// A whole number, however it is written.
    fn whole(&self, name: &str) -> Option<u64> {
        let number = self.field(name)?.as_f64()?;
        (number >= 0.0 && number.fract() == 0.0).then_some(number as u64)
    }

    fn page(&self) -> Option<String> {
        self.batch.page_of(self.event).map(kept)
    }

    fn visitor(&self) -> &str {
        &self.batch.visitor.visitor_id
    }

    fn is_of(&self, names: &[&str]) -> bool {
        names.contains(&self.event.name.as_str())
    }
}

impl<'a> Visit<'a> {
    /// Its page views in the order of the session.
    fn trail(&self) -> Vec<Happening<'a>> {
        let mut views: Vec<Happening<'a>> =
            self.happenings().into_iter().filter(|happening| happening.is_page_view()).collect();
        // Stable, so ties of one batch stay in the order it was written in.
        views.sort_by_key(|view| (view.event.created_at, view.batch.sent_at));
        views
    }
}

fn number(event: &Event, name: &str) -> Option<f64> {
    let number = event.data.as_ref()?.get(name)?.as_f64()?;
    (0.0..=MAX_MEASURED).contains(&number).then_some(number)
}

/// The rows of a ranking: the largest count first, ties by key.
fn ranked<K: Ord, V>(rows: BTreeMap<K, V>, limit: usize, count: impl Fn(&V) -> i64) -> Vec<(K, V)> {
    let mut rows: Vec<(K, V)> = rows.into_iter().collect();
    rows.sort_by(|(a, left), (b, right)| (Reverse(count(left)), a).cmp(&(Reverse(count(right)), b)));
    rows.truncate(limit);
    rows
}

fn counted<K: Ord>(keys: impl IntoIterator<Item = K>) -> BTreeMap<K, i64> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    counts
}

/// How a value is spelled most often among values that differ from it in case and blanks alone; the first such spelling.
fn usual_spelling(value: &str, values: &[String]) -> String {
    let folded = |text: &str| text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    let mut spellings: Vec<_> = values.iter().filter(|other| folded(other) == folded(value)).collect();
    spellings.sort();
    let mut usual = (0, value);
    for spelling in &spellings {
        let count = spellings.iter().filter(|other| other == &spelling).count();
        if count > usual.0 {
            usual = (count, spelling);
        }
    }
    usual.1.to_owned()
}

fn grouped<K: Ord, T>(items: impl IntoIterator<Item = T>, key: impl Fn(&T) -> K) -> BTreeMap<K, Vec<T>> {
    let mut groups: BTreeMap<K, Vec<T>> = BTreeMap::new();
    for item in items {
        groups.entry(key(&item)).or_default().push(item);
    }
    groups
}

fn unique_visitors(happened: &[Happening<'_>]) -> usize {
    happened.iter().map(Happening::visitor).collect::<BTreeSet<_>>().len()
}

impl Oracle {
    /// The answer to a request for rankings as of an instant; of several right ones the closest to the actual
    /// answer. `None` if the path is no ranking.
    pub fn ranking(&self, path: &str, query: Query<'_>, today: NaiveDate, actual: &Value) -> Option<Value> {
        let limit = query.number("limit", DEFAULT_LIMIT).min(MAX_LIMIT);
        let asked = Asked { range: query.range(today), limit };
        let actual = &actual["data"];
        let data = match path {
            "pages" => self.pages(asked),
            "insights/frustration" => self.frustration(asked),
            "insights/errors" => self.errors(asked, actual),
            "insights/clicks" => self.clicks(asked),
            "insights/seo" => self.seo(asked, actual),
            "insights/journeys" => self.journeys(asked),
            "insights/reading" => self.reading(asked),
            "insights/forms" => self.forms(asked),
            "acquisition" => self.acquisition(asked),
            "audience" => self.audience(asked),
            "metrics" => self.metrics(asked, actual),
            _ => return None,
        };
        Some(json!({ "data": data }))
    }

    fn happened(&self, asked: Asked, names: &[&str]) -> Vec<Happening<'_>> {
        self.human_events(asked.range).into_iter().filter(|happening| happening.is_of(names)).collect()
    }

    fn visits_started(&self, range: Range) -> Vec<Visit<'_>> {
        let visits = self.humans().into_iter().flat_map(|person| person.visits());
        visits.filter(|visit| range.holds(visit.started_at())).collect()
    }

    fn pages(&self, asked: Asked) -> Value {
        let views = self.happened(asked, &["page_view"]).len() as i64;
        let sessions = self.visits_started(asked.range).len() as i64;
        json!({ "top_pages": self.top_pages(asked), "avg_pages_per_session": one_decimal(views, sessions) })
    }

    fn top_pages(&self, asked: Asked) -> Vec<Value> {
        let mut pages = grouped(self.happened(asked, &["page_view"]), Happening::page);
        pages.remove(&None);
        let row = |(url, views): (Option<String>, Vec<Happening<'_>>)| json!({ "url": url, "views": views.len(), "unique_visitors": unique_visitors(&views) });
        ranked(pages, asked.limit, |views| views.len() as i64).into_iter().map(row).collect()
    }

    fn frustration(&self, asked: Asked) -> Value {
        let humans = self.humans();
        let suffered = humans.iter().map(|person| (person.id(), suffering(person, asked.range)));
        let scores: BTreeMap<&str, Value> = suffered.filter(|(_, row)| score(row) > 0).collect();
        let (visitors, sum) = (scores.len() as i64, scores.values().map(score).sum());
        let rows: Vec<Value> = ranked(scores, asked.limit, score).into_iter().map(|(_, row)| row).collect();
        json!({ "scores": rows, "average": { "avg_score": one_decimal(sum, visitors), "visitor_count": visitors } })
    }

    fn errors(&self, asked: Asked, actual: &Value) -> Value {
        let names = ["js_exception", "promise_rejection", "console_error", "console_warning"];
        let key = |error: &Happening<'_>| -> Key<2> { [Some(error.event.name.clone()), error.message()] };
        let errors = ranked(grouped(self.happened(asked, &names), key), asked.limit, |errors| errors.len() as i64);
        let row = |([name, message], errors): (Key<2>, Vec<Happening<'_>>)| {
            let instants = errors.iter().map(|error| error.event.created_at);
            let last = instants.clone().max();
            let latest = errors.iter().filter(|error| Some(error.event.created_at) == last);
            let urls: BTreeSet<Option<String>> = latest.map(Happening::page).collect();
            let answered = actual.as_array().into_iter().flatten();
            let answered = answered.filter(|row| row["type"] == json!(name) && row["message"] == json!(message));
            let url = answered.map(|row| row["url"].as_str().map(str::to_owned)).find(|url| urls.contains(url));
            json!({
                "type": name,
                "message": message,
                "count": errors.len(),
                "unique_visitors": unique_visitors(&errors),
                "first_seen_at": instants.min(),
                "last_seen_at": last,
                "url": url.or_else(|| urls.first().cloned()).flatten(),
            })
        };
        errors.into_iter().map(row).collect()
    }

    fn clicks(&self, asked: Asked) -> Value {
        let elements = |name: &str| -> Vec<Value> {
            let key = |click: &Happening<'_>| -> Key<2> { [click.text("selector"), click.page()] };
            let elements = grouped(self.happened(asked, &[name]), key);
            let row = |([selector, url], clicks): (Key<2>, Vec<Happening<'_>>)| {
                json!({
                    "selector": selector,
                    "url": url,
                    "count": clicks.len(),
                    "unique_visitors": unique_visitors(&clicks),
                })
            };
            ranked(elements, asked.limit, |clicks| clicks.len() as i64).into_iter().map(row).collect()
        };
        json!({
            "rage_clicks": elements("rage_click"),
            "dead_clicks": elements("dead_click"),
            "phantom_clicks": elements("phantom_click"),
        })
    }

    fn seo(&self, asked: Asked, actual: &Value) -> Value {
        let mut pages = grouped(self.happened(asked, &["seo_diagnostics"]), Happening::page);
        pages.remove(&None);
        // A page checked twice at one instant may be answered either way, but the same way everywhere.
        let listed: BTreeMap<&str, &Value> = actual["pages"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|row| Some((row["url"].as_str()?, row)))
            .collect();
        let mut ways: Vec<Vec<Value>> = vec![Vec::new()];
        for (url, checks) in pages {
            let last = checks.iter().map(|check| check.event.created_at).max();
            let latest = checks.iter().filter(|check| Some(check.event.created_at) == last);
            let mut rows: Vec<Value> = Vec::new();
            for row in latest.map(diagnostics) {
                if !rows.contains(&row) {
                    rows.push(row);
                }
            }
            let answered = url.and_then(|url| listed.get(url.as_str()).copied());
            if let Some(row) = rows.iter().find(|row| Some(*row) == answered) {
                rows = vec![row.clone()];
            }
            let more = |way: &Vec<Value>| -> Vec<Vec<Value>> {
                rows.iter().map(|row| way.iter().chain([row]).cloned().collect()).collect()
            };
            ways = ways.iter().flat_map(more).take(MAX_TIES).collect();
        }
        let mut answers = ways.into_iter().map(|rows| seo_of(rows, asked.limit));
        let first = answers.next().unwrap_or_default();
        if first == *actual { first } else { answers.find(|answer| answer == actual).unwrap_or(first) }
    }

    fn journeys(&self, asked: Asked) -> Value {
        let trails: Vec<(Visit<'_>, Vec<Happening<'_>>)> = self
            .humans()
            .iter()
            .flat_map(Person::visits)
            .map(|visit| {
                let trail = visit.trail();
                (visit, trail)
            })
            .collect();
        let moves = trails.iter().flat_map(|(_, trail)| trail.windows(2));
        let moves = moves.filter(|pair| asked.range.holds(pair[1].event.created_at));
        let moves = moves.filter_map(|pair| Some([pair[0].page()?, pair[1].page()?])).filter(|[from, to]| from != to);
        let transitions = ranked(counted(moves), asked.limit, |count| *count).into_iter();
        let started: Vec<_> = trails.iter().filter(|(visit, _)| asked.range.holds(visit.started_at())).collect();
        let ends = |urls: Vec<String>| -> Vec<Value> {
            let rows = ranked(counted(urls), asked.limit, |count| *count).into_iter();
            rows.map(|(url, count)| json!({ "url": url, "count": count })).collect()
        };
        let transitions: Vec<Value> =
            transitions.map(|([from, to], count)| json!({ "from": from, "to": to, "count": count })).collect();
        json!({
            "transitions": transitions,
            "entry_pages": ends(started.iter().filter_map(|(_, trail)| trail.first()?.page()).collect()),
            "exit_pages": ends(started.iter().filter_map(|(_, trail)| trail.last()?.page()).collect()),
        })
    }

    fn reading(&self, asked: Asked) -> Value {
        let mut pages = grouped(self.happened(asked, &["reading_behavior"]), Happening::page);
        pages.remove(&None);
        let row = |(url, reads): (Option<String>, Vec<Happening<'_>>)| {
            let sum = |name| added(&reads, name);
            let (mut depth, mut active, total) = (Sum::default(), Sum::default(), sum("total_time_ms"));
            for read in &reads {
                depth.add(read.number("scroll_depth").map(|depth| depth.min(100.0)));
                let open = read.number("total_time_ms").unwrap_or(f64::INFINITY);
                active.add(read.number("active_time_ms").map(|active| active.min(open)));
            }
            json!({
                "url": url,
                "reads": reads.len(),
                "avg_scroll_depth": depth.mean_to_one_decimal(),
                "avg_active_time_ms": active.mean(),
                "avg_scroll_velocity": sum("scroll_velocity").mean_to_one_decimal(),
                "attention_percent": one_decimal(100 * active.thousandths, total.thousandths).min(100.0),
            })
        };
        ranked(pages, asked.limit, |reads| reads.len() as i64).into_iter().map(row).collect()
    }

    fn forms(&self, asked: Asked) -> Value {
        let place = |left: &Happening<'_>| -> Key<2> { [left.text("form"), left.page()] };
        let left =
            ranked(grouped(self.happened(asked, &["form_abandon"]), place), asked.limit, |left| left.len() as i64);
        let abandonment = |([form, url], left): (Key<2>, Vec<Happening<'_>>)| {
            let fields = counted(left.iter().filter_map(|left| left.text("last_field")));
            json!({
                "form": form,
                "url": url,
                "abandons": left.len(),
                "avg_time_spent_ms": added(&left, "time_spent_ms").mean(),
                "last_field": ranked(fields, 1, |count| *count).first().map(|(field, _)| field),
            })
        };
        let field = |hesitated: &Happening<'_>| -> Key<3> {
            [hesitated.text("form"), hesitated.text("field"), hesitated.page()]
        };
        let fields = grouped(self.happened(asked, &["field_hesitation"]), field);
        let hesitation = |([form, field, url], hesitated): (Key<3>, Vec<Happening<'_>>)| {
            json!({
                "form": form,
                "field": field,
                "url": url,
                "count": hesitated.len(),
                "avg_hesitation_ms": added(&hesitated, "hesitation_ms").mean(),
            })
        };
        let fields = ranked(fields, asked.limit, |hesitated| hesitated.len() as i64);
        json!({
            "abandonment": left.into_iter().map(abandonment).collect::<Vec<Value>>(),
            "hesitation": fields.into_iter().map(hesitation).collect::<Vec<Value>>(),
        })
    }

    fn acquisition(&self, asked: Asked) -> Value {
        let visits = self.visits_started(asked.range);
        let sessions: Vec<_> = visits.iter().map(|visit| &visit.first().session).collect();
        let own = OWN_HOSTS.map(HostPattern::stored);
        let host = |session: &Session| referrer_host(session.referrer.as_deref()?, &own);
        let top = |name: &str, values: Vec<String>| -> Vec<Value> {
            let rows = ranked(counted(values), asked.limit, |sessions| *sessions).into_iter();
            rows.map(|(value, sessions)| json!({ name: value, "sessions": sessions })).collect()
        };
        let campaign = |value: fn(&Session) -> &Option<String>| {
            let values = sessions.iter().filter_map(|session| value(session).as_deref());
            let values: Vec<_> = values.filter(|value| !value.is_empty()).map(kept).collect();
            top("value", values.iter().map(|value| usual_spelling(value, &values)).collect())
        };
        let channels = sessions.iter().map(|session| {
            let source = Source {
                landing_url: session.url.as_deref(),
                utm_source: session.utm_source.as_deref(),
                utm_medium: session.utm_medium.as_deref(),
                utm_campaign: session.utm_campaign.as_deref(),
            };
            channel(&source, host(session).as_deref()).name()
        });
        let share = |count| one_decimal(100 * count, sessions.len() as i64);
        let channels = ranked(counted(channels), asked.limit, |sessions| *sessions).into_iter();
        let channels: Vec<Value> = channels
            .map(|(channel, count)| json!({ "channel": channel, "sessions": count, "share": share(count) }))
            .collect();
        json!({
            "referrers": top("referrer", sessions.iter().filter_map(|session| host(session)).collect()),
            "utm": {
                "source": campaign(|session| &session.utm_source),
                "medium": campaign(|session| &session.utm_medium),
                "campaign": campaign(|session| &session.utm_campaign),
                "term": campaign(|session| &session.utm_term),
                "content": campaign(|session| &session.utm_content),
            },
            "channels": channels,
        })
    }

    /// Where a session was made and with what, its first batch says; a visitor is in the row of its newest session of the range.
    fn audience(&self, asked: Asked) -> Value {
        let people = self.humans();
        let visits = || {
            people.iter().flat_map(|person| {
                let started = person.visits().into_iter().filter(|visit| asked.range.holds(visit.started_at()));
                started.enumerate().map(|(at, visit)| (&visit.first().visitor, at == 0))
            })
        };
        // Each row's spellings, with its visitors and sessions; those of a text that differ in case are one row.
        let list = |keys_of: &dyn Fn(&Visitor) -> Key<2>, is_same: &dyn Fn(&Key<2>) -> Key<2>| {
            let spelled = visits().map(|(visitor, is_newest)| (keys_of(visitor).map(filled), i64::from(is_newest)));
            let alike = grouped(spelled, |(spelled, _)| is_same(spelled));
            let row = |spelled: Vec<(Key<2>, i64)>| {
                let first = |part: usize| spelled.iter().filter_map(|(key, _)| key[part].clone()).min();
                ([first(0), first(1)], (spelled.iter().map(|(_, newest)| newest).sum(), spelled.len() as i64))
            };
            let mut rows: Vec<(Key<2>, (i64, i64))> = alike.into_values().map(row).collect();
            rows.sort_by(|(a, left), (b, right)| (Reverse(left), a).cmp(&(Reverse(right), b)));
            rows.truncate(asked.limit);
            rows
        };
        let named = |names: [&str; 2], rows: Vec<(Key<2>, (i64, i64))>| -> Vec<Value> {
            let row = |(key, (visitors, sessions))| {
                let mut row = json!({ "visitors": visitors, "sessions": sessions });
                let parts: Key<2> = key;
                for (name, part) in names.into_iter().zip(parts).filter(|(name, _)| !name.is_empty()) {
                    row[name] = json!(part);
                }
                row
            };
            rows.into_iter().map(row).collect()
        };
        let lower = |text: &Option<String>| text.as_ref().map(|text| text.to_lowercase());
        let of_country = |[code, name]: &Key<2>| [lower(code), name.clone().filter(|_| code.is_none())];
        let one = |name: &'static str, text: fn(&Visitor) -> Option<String>| {
            named([name, ""], list(&|visitor| [text(visitor), None], &Key::clone))
        };
        let filtered = |name: &'static str, text: fn(&Visitor) -> Option<String>| {
            named([name, ""], list(&|visitor| [text(visitor), None], &|[text, _]| [lower(text), None]))
        };
        let countries = list(&|at| [at.geo_country_code.clone(), at.geo_country.clone()], &of_country);
        let cities = list(&|at| [at.geo_city.clone(), at.geo_country_code.clone()], &Key::clone);
        json!({
            "countries": named(["country_code", "country"], countries),
            "cities": named(["city", "country_code"], cities),
            "browsers": filtered("browser", |visitor| visitor.browser_name.clone()),
            "systems": filtered("os", |visitor| visitor.os.clone()),
            "devices": one("device", device),
            "languages": one("language", language),
            "screens": one("screen", screen),
        })
    }

    /// Whether a day has so many values of a vital, also by visitors that turned out to be bots since, that they
    /// need not be told apart.
    fn is_rounded(&self, range: Range, name: &str) -> bool {
        let events = self.batches().iter().flat_map(|batch| &batch.events);
        let samples = events.filter(|event| event.name == "web_vitals" && range.holds(event.created_at));
        let days = grouped(samples, |event| day_of(event.created_at)).into_values();
        let distinct = |day: Vec<&Event>| {
            day.into_iter().filter_map(|event| number(event, name)).map(f64::to_bits).collect::<BTreeSet<_>>().len()
        };
        days.map(distinct).any(|values| values > MAX_EXACT_VALUES)
    }

    fn metrics(&self, asked: Asked, actual: &Value) -> Value {
        let happened = self.happened(asked, &["web_vitals"]);
        let vitals: serde_json::Map<String, Value> = VITALS
            .iter()
            .map(|(name, good, poor)| {
                let answered = actual["web_vitals"][*name]["p75"].as_f64();
                let close = answered.filter(|_| self.is_rounded(asked.range, name));
                ((*name).to_owned(), vital(&happened, name, [*good, *poor], close))
            })
            .collect();
        let visits = self.visits_started(asked.range);
        let sessions = visits.len() as i64;
        let bounces = visits.iter().filter(|visit| visit.page_views() <= 1).count() as i64;
        json!({
            "web_vitals": vitals,
            "avg_session_duration_ms": half_up(visits.iter().map(Visit::duration_ms).sum(), sessions),
            "bounce_rate": one_decimal(100 * bounces, sessions),
            "top_pages": self.top_pages(asked),
        })
    }
}

/// A visitor's row of the frustration scores.
fn suffering(person: &Person<'_>, range: Range) -> Value {
    let visits = person.visits();
    let happened: Vec<Happening<'_>> = visits.iter().flat_map(Visit::happenings).collect();
    let count = |names: &[&str]| {
        let of = |happening: &&Happening<'_>| happening.is_of(names) && range.holds(happening.event.created_at);
        happened.iter().filter(of).count() as i64
    };
    let trails: Vec<_> = visits.iter().map(Visit::trail).collect();
    let is_rapid = |pair: &&[Happening<'_>]| {
        let [previous, view] = [pair[0], pair[1]].map(|view| view.event.created_at);
        view - previous <= RAPID_MS && range.holds(view)
    };
    let rapid = trails.iter().flat_map(|trail| trail.windows(2)).filter(is_rapid).count() as i64;
    let (rage, dead) = (count(&["rage_click"]), count(&["dead_click"]));
    let (errors, abandons) = (count(&["js_exception", "promise_rejection"]), count(&["form_abandon"]));
    json!({
        "visitor_id": person.id(),
        "score": (10 * rage + 4 * dead + 8 * errors + 12 * abandons + 6 * rapid).min(MAX_SCORE),
        "rage_clicks": rage,
        "dead_clicks": dead,
        "errors": errors,
        "form_abandons": abandons,
        "rapid_navigations": rapid,
    })
}

fn device(visitor: &Visitor) -> Option<String> {
    visitor.mobile.map(|mobile| if mobile == 1 { "mobile" } else { "desktop" }.to_owned())
}

fn language(visitor: &Visitor) -> Option<String> {
    let tag = visitor.language.as_ref()?.to_lowercase();
    let length = tag.chars().position(|character| character == '-' || character == '_').unwrap_or(tag.chars().count());
    let subtag: String = tag.chars().take(length).collect();
    let letters = subtag.chars().filter(|character| matches!(character, 'a'..='z' | '0'..='9')).count();
    (letters == length && (1..=8).contains(&length)).then_some(subtag)
}

fn screen(visitor: &Visitor) -> Option<String> {
    Some(format!("{}x{}", visitor.screen_width?, visitor.screen_height?))
}

/// A text that says something.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn score(row: &Value) -> i64 {
    row["score"].as_i64().unwrap_or_default()
}

/// A text as rankings show it: of one above 256 bytes the beginning, and 16 digits of its SHA-256.
fn kept(text: &str) -> String {
    if text.len() <= 256 {
        return text.to_owned();
    }
    let end = (0..=237).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    let digest = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("{}…{}", &text[..end], &digest[..16])
}

/// A page's row of the diagnostics, out of one check.
fn diagnostics(check: &Happening<'_>) -> Value {
    let issues = check.field("issues").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    json!({
        "url": check.page(),
        "title": check.text("title"),
        "title_length": check.whole("title_length"),
        "meta_description_length": check.whole("meta_description_length"),
        "h1_count": check.whole("h1_count"),
        "images_missing_alt": check.whole("images_missing_alt"),
        "issues": issues.map(kept).collect::<Vec<_>>(),
        "checked_at": check.event.created_at,
    })
}

/// The answer out of every page's row.
fn seo_of(pages: Vec<Value>, limit: usize) -> Value {
    let issues_of = |page: &Value| -> Vec<String> {
        page["issues"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let of_a_page = |page: &Value| issues_of(page).into_iter().collect::<BTreeSet<String>>();
    let issues = ranked(counted(pages.iter().flat_map(of_a_page)), limit, |count| *count).into_iter();
    let issues: Vec<Value> = issues.map(|(issue, pages)| json!({ "issue": issue, "pages": pages })).collect();
    let by_url = |page: Value| (page["url"].as_str().map(str::to_owned), page);
    let pages = ranked(pages.into_iter().map(by_url).collect(), limit, |page| issues_of(page).len() as i64);
    json!({ "pages": pages.into_iter().map(|(_, page)| page).collect::<Vec<Value>>(), "issues": issues })
}

fn added(happened: &[Happening<'_>], name: &str) -> Sum {
    let mut sum = Sum::default();
    for happening in happened {
        sum.add(happening.number(name));
    }
    sum
}

/// A vital's row. If it may be rounded, the percentile that was answered is right if it is close enough in rank.
fn vital(happened: &[Happening<'_>], name: &str, [good, poor]: [f64; 2], rounded: Option<f64>) -> Value {
    let mut values: Vec<f64> = happened.iter().filter_map(|happening| happening.number(name)).collect();
    values.sort_by(f64::total_cmp);
    let exact = values.get((3 * values.len()).div_ceil(4).saturating_sub(1)).copied();
    let is_close = |rounded: &f64| {
        let share = |count: usize| count as f64 / values.len() as f64;
        let below = share(values.iter().filter(|value| *value < rounded).count());
        let up_to = share(values.iter().filter(|value| *value <= rounded).count());
        below <= 0.75 + RANK_TOLERANCE && up_to >= 0.75 - RANK_TOLERANCE
    };
    let rated = |is_rated: &dyn Fn(f64) -> bool| values.iter().filter(|value| is_rated(**value)).count();
    json!({
        "p75": exact.map(|exact| rounded.filter(is_close).unwrap_or(exact)),
        "samples": values.len(),
        "good": rated(&|value| value <= good),
        "needs_improvement": rated(&|value| value > good && value <= poor),
        "poor": rated(&|value| value > poor),
    })
}
