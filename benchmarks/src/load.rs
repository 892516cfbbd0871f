//! Data sets, stored and counted the way production stores and counts.

use std::time::{Duration, Instant};

use figures::ids::ProjectId;
use figures::log::tail::Tail;
use figures::table::store::Store;
use figures::time::Millis;
use futures::stream::{self, StreamExt, TryStreamExt};
use identity::dev::{Options, Stack};
use identity::import;
use serde::Serialize;

use crate::BenchError;
use crate::api::Api;
use crate::progress::Progress;
use crate::site::{DAYS, Site};

/// Batches that are stored at the same time.
const IN_FLIGHT: usize = 64;
/// The pause between two looks at what is counted.
const PAUSE: Duration = Duration::from_millis(200);
/// Figures that stay as they are for so long will not grow any more: a consumer gets to each project in less.
const STALLED: Duration = Duration::from_secs(300);
/// Bytes of merged segments that compaction leaves to its next round.
const LINGERING_BYTES: usize = 32 << 10;

/// A loaded data set.
#[derive(Debug)]
pub struct Loaded {
    /// The stack that serves it.
    pub stack: Stack,
    /// How quickly it came to be.
    pub speed: Speed,
}

/// How quickly a data set was stored and counted, by one process that is database, collector and consumer at once.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Speed {
    /// Events.
    pub events: usize,
    /// Batches that held them.
    pub batches: usize,
    /// Until all were stored, in seconds.
    pub stored_s: f64,
    /// Until all were counted, in seconds.
    pub counted_s: f64,
}

/// Starts a stack and fills it.
pub async fn load(site: Site, label: &str) -> Result<Loaded, BenchError> {
    let project = "bench".parse().map_err(|_| BenchError::Failed("the project's name".to_owned()))?;
    let options = Options { rate_limit: 60_000_000, ..Options::empty(project) };
    let stack = Stack::start(options).await.map_err(|error| BenchError::Failed(error.to_string()))?;
    let began = Instant::now();
    let (events, batches) = fill(stack.store(), stack.project(), site, &format!("{label}: storing")).await?;
    let stored_s = began.elapsed().as_secs_f64();
    wait(&Api::new(stack.base_url(), stack.secret_key()), events as u64, &format!("{label}: counting")).await?;
    let speed = Speed { events, batches, stored_s, counted_s: began.elapsed().as_secs_f64() };
    wait_for_removal(&stack).await?;
    Ok(Loaded { stack, speed })
}

/// Waits until compaction has removed what it merged last.
async fn wait_for_removal(stack: &Stack) -> Result<(), BenchError> {
    let since = Instant::now();
    loop {
        tokio::time::sleep(counting::GRACE).await;
        let tail = Tail::load(stack.store(), stack.project()).await?;
        let merged = tail.segments.iter().filter(|segment| segment.round.is_some());
        if merged.map(|segment| segment.size).sum::<usize>() <= LINGERING_BYTES {
            return Ok(());
        }
        if since.elapsed() > STALLED {
            return Err(BenchError::Failed("what is merged is never removed".to_owned()));
        }
    }
}

/// Stores a site's batches. Gives the number of events and of batches.
pub async fn fill(store: &Store, project: &ProjectId, site: Site, label: &str) -> Result<(usize, usize), BenchError> {
    let progress = Progress::begin(label, site.events as u64);
    let (mut batches, mut events) = (0, 0);
    let items = site.batches(Millis::now()).map(|batch| {
        batches += 1;
        events += batch.events.len();
        (batch.events.len(), batch.to_item(project))
    });
    stream::iter(items)
        .map(|(count, item)| async move { import::put(store, item?).await.map(|_| count) })
        .buffer_unordered(IN_FLIGHT)
        .try_for_each(|count| {
            progress.add(count as u64);
            async { Ok(()) }
        })
        .await?;
    progress.end();
    Ok((events, batches))
}

/// Waits until the figures hold all events, and shows how many they hold.
pub async fn wait(api: &Api, events: u64, label: &str) -> Result<(), BenchError> {
    let progress = Progress::begin(label, events);
    wait_silently(api, events, |counted| progress.at(counted)).await?;
    progress.end();
    Ok(())
}

/// Waits until the figures hold all events, and tells with each look how many they hold. Fails if they stay as they are, or are
/// not to be had, for too long.
pub async fn wait_silently(api: &Api, events: u64, look: impl Fn(u64)) -> Result<(), BenchError> {
    let (mut counted, mut grew) = (0, Instant::now());
    loop {
        // The default range begins a day later when it is midnight, and the made-up site's does not.
        let start = Millis::now().day().plus(-2 * DAYS as i32);
        let now = match api.get(&format!("stats?start_date={start}")).await {
            Ok(stats) => stats["data"]["total_events"].as_u64().unwrap_or_default(),
            Err(BenchError::Busy(_)) if grew.elapsed() < STALLED => counted,
            Err(error) => return Err(error),
        };
        look(now);
        if now >= events {
            return Ok(());
        }
        if now > counted {
            (counted, grew) = (now, Instant::now());
        }
        if grew.elapsed() > STALLED {
            return Err(BenchError::Failed(format!("{now} of {events} events are counted, and no more come")));
        }
        tokio::time::sleep(PAUSE).await;
    }
}
