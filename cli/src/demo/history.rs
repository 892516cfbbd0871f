//! A good month of the site's past, the same ones for the same project and instant.

use std::hash::{DefaultHasher, Hash, Hasher};

use fastrand::Rng;
use figures::ids::ProjectId;
use figures::model::Batch;
use figures::table::ip::IpKey;
use figures::time::{Day, Millis};

use super::people::{Person, Visit, draw};
use super::site::Weighted;

/// People who ever came.
const PEOPLE: usize = 520;
/// Days that they came on: a few more than the API's default range, so that some return in it.
const DAYS: i32 = 34;
/// A tracker sends at least so often, in events.
const BATCH_EVENTS: usize = 24;

/// How many times people come back.
const VISITS: [Weighted<usize>; 6] = [(58, 1), (20, 2), (10, 3), (6, 4), (4, 6), (2, 9)];
/// How many pages they look at.
const PAGES: [Weighted<usize>; 7] = [(38, 1), (20, 2), (14, 3), (11, 4), (8, 5), (5, 7), (4, 10)];
/// How lively the hours of a day are, by the visitor's own clock.
const HOURS: [u32; 24] = [2, 1, 1, 1, 1, 2, 4, 8, 14, 20, 22, 21, 17, 19, 21, 20, 18, 15, 12, 12, 13, 11, 7, 4];
/// How lively the days of a week are, from Thursday on, as 1970-01-01 was one.
const WEEK: [u32; 7] = [20, 17, 8, 9, 19, 21, 21];
const MS_PER_HOUR: i64 = 3_600_000;

/// The people of a project.
pub fn people(project: &ProjectId) -> Vec<Person> {
    let mut rng = Rng::with_seed(seed(project));
    (0..PEOPLE).filter_map(|_| Person::new(&mut rng)).collect()
}

/// All they sent until an instant, person by person: those who are new to the table are counted fastest.
pub fn batches(project: &ProjectId, until: Millis, ip_key: &IpKey) -> Vec<Batch> {
    let mut batches = Vec::new();
    for (number, person) in people(project).iter().enumerate() {
        let mut rng = Rng::with_seed(seed(project).wrapping_add(1 + number as u64));
        let visits = draw(&mut rng, &VISITS).copied().unwrap_or(1);
        for _ in 0..visits {
            let at = arrival(&mut rng, person, until);
            batches.extend(session(&mut rng, person, at, ip_key));
        }
    }
    // A session that began shortly before may not have ended yet.
    batches.retain(|batch| batch.stored_at <= until);
    batches
}

fn seed(project: &ProjectId) -> u64 {
    let mut hasher = DefaultHasher::new();
    project.as_str().hash(&mut hasher);
    hasher.finish()
}

/// An instant at which a person would come.
fn arrival(rng: &mut Rng, person: &Person, until: Millis) -> Millis {
    let today = until.day();
    // A little more from day to day: the site grows.
    let days: Vec<Weighted<Day>> = (0..DAYS)
        .map(|back| (WEEK[today.plus(-back).0.rem_euclid(7) as usize] * (80 - back) as u32, today.plus(-back)))
        .collect();
    let hours: Vec<Weighted<i64>> = HOURS.iter().copied().zip(0..).collect();
    let day = draw(rng, &days).copied().unwrap_or(today);
    let hour = draw(rng, &hours).copied().unwrap_or(12);
    let local = hour * MS_PER_HOUR + rng.i64(..MS_PER_HOUR);
    let at = day.start().plus((local - person.place.hours_ahead * MS_PER_HOUR).rem_euclid(24 * MS_PER_HOUR));
    // What lies ahead was yesterday.
    if at > until { at.plus(-24 * MS_PER_HOUR) } else { at }
}

/// A session's batches, from arrival to the tracker's last words.
fn session(rng: &mut Rng, person: &Person, at: Millis, ip_key: &IpKey) -> Vec<Batch> {
    let Some(mut visit) = Visit::begin(rng, person, at) else { return Vec::new() };
    let pages = if person.is_bot() { 1 } else { draw(rng, &PAGES).copied().unwrap_or(1) };
    let mut batches = Vec::new();
    for seen in 1..=pages {
        visit.stay(rng);
        if seen < pages {
            visit.go_on(rng);
        }
        if visit.unsent() >= BATCH_EVENTS {
            batches.extend(visit.send(ip_key));
        }
    }
    visit.leave();
    if visit.unsent() > 0 {
        batches.extend(visit.send(ip_key));
    }
    if rng.u32(..100) < 12 {
        visit.now = visit.now.plus(rng.i64(10_000..60_000));
        batches.extend(visit.send(ip_key));
    }
    batches
}
