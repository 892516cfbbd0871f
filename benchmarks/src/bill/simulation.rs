//! Page views as they come, through the collector and the consumer of the stream, on a clock that is set.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::types::AttributeValue;
use collect::Collector;
use counting::Consumer;
use fastrand::Rng;
use figures::table::keys;
use figures::table::store::{Consistency, Item, PK, SK, Store, StoreError, failure, read_text};
use figures::time::{Clock, DAY_MS, Day, Millis};
use identity::dev::{Options, Stack};
use lambda_http::{Body, Context, Request, RequestExt};
use rollup::stream::StreamConsumer;
use serde::Serialize;
use serde_json::{Value, json};
use shared::app::{App, ClientAddress};
use shared::telemetry;

use crate::BenchError;
use crate::bill::lambda::{DEPLOYED, Gathering, Instances, Record, Stream};
use crate::bill::mix::{Mix, People, Sent, Visitor};
use crate::bill::rhythm::{BEGINS, DAYS, Rhythm, Window};
use crate::ledger::{Ledger, Units, kind};
use crate::probe::watched;
use crate::progress::Progress;

/// What the template's `MaxDailyUnits` is by default: with it, the collector looks what a project has spent.
pub const MAX_DAILY_UNITS: u64 = 20_000_000;

/// What `collect` takes for a batch: an assumption of docs/deployment.md, since times of this machine say nothing of Lambda's.
const COLLECT_MS: f64 = 10.0;
/// What `rollup` takes, by the assumptions there: 60 ms for a lone batch, and 200 ms for the 25 of a window of 5 s at 10 page views a
/// second.
const ROLLUP_FIRST_MS: f64 = 60.0;
const ROLLUP_NEXT_MS: f64 = 140.0 / 24.0;
/// What starting an instance takes, which is billed: "first poll" in the table of cold starts there.
const COLLECT_START_MS: f64 = 19.0;
const ROLLUP_START_MS: f64 = 13.4;

/// A tracker's files are good for so long in a browser's cache.
const FILES_KEPT_MS: i64 = 3_600_000;
/// A page asks for `identity.js` and `identity-more.js`.
const FILES: f64 = 2.0;

/// What an invocation may take here, where a busy machine may be at other things.
const PATIENCE: Duration = Duration::from_secs(300);

/// The past that there is before the month: as long as a report looks back.
const PAST_DAYS: i64 = 28;
/// When the sample of a day of the past is taken.
const NOON_MS: i64 = 12 * HOUR_MS;
const HOUR_MS: i64 = 3_600_000;
/// Of the time between two parts, the sample is smaller by this factor.
const BETWEEN: usize = 8;
/// Batches that are counted together in the past, which is not measured.
const PAST_TOGETHER: usize = 100;

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Page views a month.
    pub page_views: f64,
    /// How records come to `rollup`.
    pub gathering: Gathering,
    /// What is measured.
    pub windows: Vec<Window>,
    /// What goes on in full before each window.
    pub warm_up_ms: i64,
    /// Visits of the past before the first window: a sample, half of it of the last day. There are fewer before each other one.
    pub past_visits: usize,
    /// What the random numbers follow from.
    pub seed: u64,
}

/// The longest visit that was recorded, and some seconds: after so long, as many visits go on as begin.
const LONGEST_VISIT_MS: i64 = 280_000;
/// Page views that come in full before what is measured: rounds of compaction go on then as they do later. It takes three windows of the
/// stream at least, and no longer than the longest visit.
const WARM_UP_VIEWS: f64 = 150.0;
const MIN_WARM_UP_MS: i64 = 15_000;

/// The fewest and the most parts of a month, where no whole days are simulated.
const MIN_PARTS: f64 = 2.0;
const MAX_PARTS: f64 = 12.0;

impl Plan {
    /// A plan for so many page views a month, of which about so many are measured: a working day and a day of a weekend if they have no
    /// more, else some parts of the month.
    pub fn of(page_views: f64, measured: f64, past_visits: usize, seed: u64) -> Self {
        let rhythm = Rhythm::of_month(page_views);
        let two_days = 2.0 / DAYS as f64 * page_views;
        let ms = measured / page_views * (DAYS * DAY_MS) as f64;
        let warm_up_ms = (WARM_UP_VIEWS / page_views * (DAYS * DAY_MS) as f64) as i64;
        let warm_up_ms = warm_up_ms.clamp(MIN_WARM_UP_MS, LONGEST_VISIT_MS);
        // To come to each part takes no longer than it lasts.
        let parts = (ms / warm_up_ms as f64).floor().clamp(MIN_PARTS, MAX_PARTS);
        let windows = match two_days <= measured {
            true => rhythm.two_days(),
            false => rhythm.windows(parts as usize, (ms / parts) as i64),
        };
        Plan { page_views, gathering: DEPLOYED, windows, warm_up_ms, past_visits, seed }
    }

    /// The same where records come to `rollup` in another way.
    pub fn gathering(self, gathering: Gathering) -> Self {
        Plan { gathering, ..self }
    }
}

/// What some page views took.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Usage {
    /// Page views that arrived.
    pub page_views: f64,
    /// Batches that arrived.
    pub batches: f64,
    /// Requests for the tracker's files.
    pub files: f64,
    /// What `collect` took of the table.
    pub collect: Units,
    /// What `rollup` took of the table.
    pub rollup: Units,
    /// Invocations of `rollup`.
    pub invocations: f64,
    /// How long `collect` was billed for, in ms.
    pub collect_ms: f64,
    /// How long `rollup` was billed for, in ms.
    pub rollup_ms: f64,
    /// Bytes of the lines that `collect` logged.
    pub collect_log: f64,
    /// Bytes of the lines that `rollup` logged.
    pub rollup_log: f64,
}

impl Usage {
    /// Adds so many times what another one is.
    fn add(&mut self, other: &Usage, times: f64) {
        self.page_views += other.page_views * times;
        self.batches += other.batches * times;
        self.files += other.files * times;
        self.collect.add(&other.collect, times);
        self.rollup.add(&other.rollup, times);
        self.invocations += other.invocations * times;
        self.collect_ms += other.collect_ms * times;
        self.rollup_ms += other.rollup_ms * times;
        self.collect_log += other.collect_log * times;
        self.rollup_log += other.rollup_log * times;
    }
}

/// What came of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// What a page view of the month takes: a part each of the windows' page views, in their shares.
    pub a_page_view: Usage,
    /// The page views that were measured.
    pub page_views: f64,
    /// From arriving to being counted, in the mean, in ms.
    pub mean_ms: f64,
    /// 99 of a hundred page views are counted within, in ms.
    pub p99_ms: i64,
    /// What a day's look of `reconcile` takes of the table.
    pub look: Units,
    /// Bytes a page view of what is stored, by kind of item, with DynamoDB's own hundred for each.
    pub stored: BTreeMap<&'static str, f64>,
    /// Metrics that the lines tell.
    pub metrics: usize,
}

/// Simulates a plan.
pub async fn simulate(plan: &Plan) -> Result<Measured, BenchError> {
    let mut world = World::begin(plan).await?;
    let outcome = world.run(plan).await;
    world.stack.shutdown().await;
    outcome
}

/// What functions write to their logs, by a line's `message`.
static LINES: Mutex<Lines> = Mutex::new(Lines { bytes: BTreeMap::new(), metrics: BTreeSet::new() });

#[derive(Debug, Default)]
struct Lines {
    bytes: BTreeMap<String, f64>,
    metrics: BTreeSet<String>,
}

fn lines() -> Lines {
    std::mem::take(&mut LINES.lock().unwrap_or_else(PoisonError::into_inner))
}

fn note_line(line: &Value) {
    let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    let message = line["message"].as_str().unwrap_or_default().to_owned();
    *lines.bytes.entry(message).or_default() += line.to_string().len() as f64 + 1.0;
    for directive in line["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten() {
        let dimensions = directive["Dimensions"][0].as_array().into_iter().flatten();
        let values: Vec<String> =
            dimensions.filter_map(Value::as_str).map(|dimension| line[dimension].to_string()).collect();
        lines.metrics.insert(format!("{} {values:?}", directive["Metrics"][0]["Name"]));
    }
}

/// What is known while page views come.
struct World {
    stack: Stack,
    clock: Arc<AtomicI64>,
    collect_ledger: Ledger,
    rollup_ledger: Ledger,
    collect_store: Store,
    rollup_store: Store,
    new_batches: NewBatches,
    collectors: Instances<Collector>,
    consumers: Instances<StreamConsumer>,
    stream: Stream,
    mix: Mix,
    people: People,
    rng: Rng,
    rhythm: Rhythm,
    usage: Usage,
    /// How long page views of the windows took to be counted, in ms, and how many did.
    lags: BTreeMap<i64, f64>,
    records: u64,
    /// Page views in the table, by day.
    stored_page_views: BTreeMap<Day, f64>,
    is_measured: bool,
}

impl World {
    async fn begin(plan: &Plan) -> Result<Self, BenchError> {
        telemetry::report_to(shared::aws::DEFAULT_TABLE, note_line);
        let project = "bench".parse().map_err(|_| BenchError::Failed("the project's name".to_owned()))?;
        let options = Options { counts: false, ..Options::empty(project) };
        let stack = Stack::start(options).await.map_err(|error| BenchError::Failed(error.to_string()))?;
        let (collect_ledger, rollup_ledger) = (Ledger::default(), Ledger::default());
        let new_batches = NewBatches::default();
        let (mix, mut rng) = (Mix::recorded()?, Rng::with_seed(plan.seed));
        let rhythm = Rhythm::of_month(plan.page_views / mix.page_views_a_visit());
        Ok(World {
            collect_store: new_batches.watch(&collect_ledger.watch(stack.store())),
            rollup_store: rollup_ledger.watch(stack.store()),
            stack,
            clock: Arc::default(),
            collect_ledger,
            rollup_ledger,
            new_batches,
            collectors: Instances::default(),
            consumers: Instances::default(),
            stream: Stream::new(plan.gathering),
            mix,
            people: People::new(&mut rng),
            rng,
            rhythm,
            usage: Usage::default(),
            lags: BTreeMap::new(),
            records: 0,
            stored_page_views: BTreeMap::new(),
            is_measured: false,
        })
    }

    async fn run(&mut self, plan: &Plan) -> Result<Measured, BenchError> {
        let (mut a_page_view, mut page_views) = (Usage::default(), 0.0);
        let mut past_begins = BEGINS.plus(-PAST_DAYS * DAY_MS);
        let mut metrics = BTreeSet::new();
        for (number, window) in plan.windows.iter().enumerate() {
            let label =
                format!("{} page views a month, part {} of {}", plan.page_views, number + 1, plan.windows.len());
            let begins = window.begins.plus(-plan.warm_up_ms);
            let past_visits = if number == 0 { plan.past_visits } else { plan.past_visits / BETWEEN };
            self.past(past_begins, begins.plus(-LONGEST_VISIT_MS), past_visits, &format!("{label}, the time before"))
                .await?;
            let (used, lines) = self.window(begins, *window, &label).await?;
            a_page_view.add(&used, window.share / used.page_views.max(1.0));
            page_views += used.page_views;
            metrics.extend(lines.metrics);
            past_begins = window.ends;
        }
        let (look, stored) = (self.look().await?, self.stored(&plan.windows).await?);
        let counted: f64 = self.lags.values().sum();
        let mean_ms = self.lags.iter().map(|(lag, views)| *lag as f64 * views).sum::<f64>() / counted.max(1.0);
        let mut within = 0.0;
        let p99 = self.lags.iter().find(|(_, views)| {
            within += **views;
            within >= 0.99 * counted
        });
        let p99_ms = p99.map_or(0, |(lag, _)| *lag);
        let metrics = metrics.len();
        Ok(Measured { a_page_view, page_views, mean_ms, p99_ms, look, stored, metrics })
    }

    /// A sample of the visits of a time, counted many at a time: half of them of its last day, the others of the same hour of each day
    /// before.
    async fn past(&mut self, from: Millis, until: Millis, visits: usize, label: &str) -> Result<(), BenchError> {
        let last_day = until.plus(-DAY_MS).max(from);
        let hour_of = |day: i32| Day(day).start().plus(NOON_MS)..Day(day).start().plus(NOON_MS + HOUR_MS);
        let days = (from.day().0..last_day.day().0).map(hour_of).filter(|hour| from <= hour.start);
        let days: Vec<Range<Millis>> = days.collect();
        let of_a_day = visits as f64 / 2.0 / days.len().max(1) as f64;
        let parts = days.into_iter().map(|hour| (hour, of_a_day)).chain([(last_day..until, visits as f64 / 2.0)]);
        let mut sent = Vec::new();
        for (Range { start, end }, visits) in parts {
            let all = self.rhythm.between(start, end);
            let arrivals = self.rhythm.arrivals(&mut self.rng, start, end, (visits / all.max(1.0)).min(1.0));
            sent.extend(arrivals.into_iter().flat_map(|at| self.visit(at, at)));
        }
        sent.sort_by_key(|sent| sent.at);
        eprintln!("{label} …");
        self.count_together(&sent).await
    }

    /// Has batches stored, and counted many at a time.
    async fn count_together(&mut self, sent: &[Sent]) -> Result<(), BenchError> {
        let (collector, consumer) = (self.start_collector().await?, self.start_consumer().await?);
        for together in sent.chunks(PAST_TOGETHER) {
            let mut records = Vec::new();
            for sent in together {
                records.push(self.store(&collector, sent).await?);
            }
            let now = together.last().map_or(Millis::default(), |last| last.at);
            self.count(&consumer, &records, now).await?;
        }
        Ok(())
    }

    /// All visits from an instant on, of which those in a window are measured. Gives what these took, and what was logged.
    async fn window(&mut self, from: Millis, window: Window, label: &str) -> Result<(Usage, Lines), BenchError> {
        let arrivals = self.rhythm.arrivals(&mut self.rng, from.plus(-LONGEST_VISIT_MS), window.ends, 1.0);
        // Of visits that go on, what they sent before is there; those that are over are left out.
        let visits = arrivals.into_iter().flat_map(|at| self.visit(at, from));
        let (mut before, mut sent): (Vec<Sent>, Vec<Sent>) = visits.partition(|sent| sent.at < from);
        before.sort_by_key(|sent| sent.at);
        self.count_together(&before).await?;
        sent.sort_by_key(|sent| sent.at);
        let progress = Progress::begin(label, sent.len() as u64);
        let mut sent = sent.into_iter().peekable();
        loop {
            let arrives = sent.peek().map_or(Millis::MAX, |sent| sent.at);
            let (due, lane) = self.stream.due().unwrap_or((Millis::MAX, 0));
            let now = arrives.min(due);
            if !self.is_measured && now >= window.begins {
                self.is_measured = true;
                let _ = (self.collect_ledger.take(), self.rollup_ledger.take(), lines());
                self.usage = Usage::default();
            }
            if now >= window.ends {
                break;
            }
            match sent.next_if(|_| arrives <= due) {
                Some(sent) => {
                    progress.add(1);
                    let record = self.collect(&sent).await?;
                    self.stream.push(record);
                }
                None => self.invoke(lane, now).await?,
            }
        }
        progress.end();
        self.is_measured = false;
        let lines = lines();
        let mut used = std::mem::take(&mut self.usage);
        (used.collect, used.rollup) = (self.collect_ledger.take(), self.rollup_ledger.take());
        for (message, bytes) in &lines.bytes {
            let log = if message.starts_with("request") { &mut used.collect_log } else { &mut used.rollup_log };
            *log += bytes;
        }
        // What is on its way is counted before the next part begins.
        while let Some((due, lane)) = self.stream.due() {
            self.invoke(lane, due).await?;
        }
        Ok((used, lines))
    }

    /// What a visit sends that begins at an instant; nothing if it is over before another one.
    fn visit(&mut self, at: Millis, goes_on_at: Millis) -> Vec<Sent> {
        let Some(kind) = self.mix.kind(self.people.next_kind()) else { return Vec::new() };
        if kind.ends(at) < goes_on_at {
            return Vec::new();
        }
        let Visitor { number, away_ms } = self.people.next(&mut self.rng, at);
        let mut sent = self.mix.visit(&mut self.rng, kind, number, at, self.stack.public_key());
        if let Some(first) = sent.first_mut() {
            first.asks_for_files = away_ms.is_none_or(|away| away >= FILES_KEPT_MS);
        }
        sent
    }

    /// Has an instance of the collector store a batch, and gives its record in the stream.
    async fn collect(&mut self, sent: &Sent) -> Result<Record, BenchError> {
        let (collector, start_ms) = match self.collectors.take(sent.at) {
            Some(collector) => (collector, 0.0),
            None => (self.start_collector().await?, COLLECT_START_MS),
        };
        let record = self.store(&collector, sent).await?;
        self.collectors.give_back(collector, sent.at.plus(COLLECT_MS as i64));
        if self.is_measured {
            self.usage.page_views += sent.page_views as f64;
            self.usage.batches += 1.0;
            self.usage.files += if sent.asks_for_files { FILES } else { 0.0 };
            self.usage.collect_ms += COLLECT_MS + start_ms;
        }
        Ok(record)
    }

    async fn store(&mut self, collector: &Collector, sent: &Sent) -> Result<Record, BenchError> {
        self.clock.store(sent.at.0, Ordering::Relaxed);
        let response = collect::handle_at(collector, &request(sent)?, sent.at).await;
        if response.status() != 202 {
            return Err(BenchError::Failed(format!("the collector answers {:?}", response.body())));
        }
        let item = self.new_batches.take().ok_or_else(|| BenchError::Failed("no batch was stored".to_owned()))?;
        *self.stored_page_views.entry(sent.at.day()).or_default() += sent.page_views as f64;
        Ok(Record { stored_at: sent.at, item, page_views: sent.page_views })
    }

    async fn start_collector(&self) -> Result<Collector, BenchError> {
        warm_up(&self.collect_store).await?;
        let app = Arc::new(App::new(self.collect_store.clone()));
        Ok(Collector::new(app).spending_at_most(Some(MAX_DAILY_UNITS)))
    }

    /// Has an instance of the consumer count what a lane has gathered.
    async fn invoke(&mut self, lane: usize, now: Millis) -> Result<(), BenchError> {
        let records = self.stream.take(lane, now);
        let (consumer, start_ms) = match self.consumers.take(now) {
            Some(consumer) => (consumer, 0.0),
            None => (self.start_consumer().await?, ROLLUP_START_MS),
        };
        self.count(&consumer, &records, now).await?;
        let ms = start_ms + ROLLUP_FIRST_MS + ROLLUP_NEXT_MS * (records.len() - 1) as f64;
        let until = now.plus(ms as i64);
        self.consumers.give_back(consumer, until);
        self.stream.keep_busy(lane, until);
        if self.is_measured {
            self.usage.invocations += 1.0;
            self.usage.rollup_ms += ms;
            for record in &records {
                *self.lags.entry(until.0 - record.stored_at.0).or_default() += record.page_views as f64;
            }
        }
        Ok(())
    }

    async fn count(&mut self, consumer: &StreamConsumer, records: &[Record], now: Millis) -> Result<(), BenchError> {
        self.clock.store(now.0, Ordering::Relaxed);
        let first = self.records;
        self.records += records.len() as u64;
        let response = consumer.handle(serde_json::from_value(event(records, first))?).await;
        if !response.batch_item_failures.is_empty() {
            return Err(BenchError::Failed("batches could not be counted".to_owned()));
        }
        Ok(())
    }

    async fn start_consumer(&self) -> Result<StreamConsumer, BenchError> {
        warm_up(&self.rollup_store).await?;
        let consumer = Consumer::new(self.rollup_store.clone()).with_clock(Clock::Set(self.clock.clone()));
        Ok(StreamConsumer::new(consumer, None).with_time_limit(PATIENCE))
    }

    /// What `reconcile` takes of the table when it looks once a day and finds nothing to do.
    async fn look(&self) -> Result<Units, BenchError> {
        let now = Millis(self.clock.load(Ordering::Relaxed));
        // In the sample of the past nobody came for hours on end, so the consumer seems to have missed something.
        Consumer::new(self.stack.store().clone()).reconcile_if_due(now).await?;
        let ledger = Ledger::default();
        let consumer = Consumer::new(ledger.watch(self.stack.store()));
        consumer.reconcile_if_due(now).await?;
        consumer.note_look(now).await?;
        Ok(ledger.take())
    }

    /// Bytes a page view, by kind of item. What is merged by day or hour grows less than its page views, so that of the windows'
    /// days is divided by theirs. What a project has once, or a day, is left out.
    async fn stored(&self, windows: &[Window]) -> Result<BTreeMap<&'static str, f64>, BenchError> {
        let days: BTreeSet<Day> = windows.iter().map(|window| window.begins.day()).collect();
        let names: Vec<String> = days.iter().map(Day::to_string).collect();
        let all: f64 = self.stored_page_views.values().sum();
        let of_days: f64 = days.iter().filter_map(|day| self.stored_page_views.get(day)).sum();
        let mut stored: BTreeMap<&'static str, f64> = BTreeMap::new();
        self.each_item(|item| {
            let (pk, sk) = (read_text(item, PK).unwrap_or_default(), read_text(item, SK).unwrap_or_default());
            let kind = kind(pk, sk);
            let page_views = match kind {
                "batch" | "visitor" | "earlier session" | "session lookup" | "seen" => all,
                "block" | "run" if names.iter().any(|day| pk.ends_with(day) || sk.starts_with(day)) => of_days,
                _ => return,
            };
            *stored.entry(kind).or_default() += size(item) as f64 / page_views;
        })
        .await?;
        Ok(stored)
    }

    async fn each_item(&self, mut each: impl FnMut(&Item)) -> Result<(), StoreError> {
        let (store, mut from) = (self.stack.store(), None);
        loop {
            let scan = store.client().scan().table_name(store.table()).set_exclusive_start_key(from);
            let page = scan.send().await.map_err(failure)?;
            page.items().iter().for_each(&mut each);
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(());
            }
        }
    }
}

/// The read by which an instance opens its connection.
async fn warm_up(store: &Store) -> Result<(), BenchError> {
    let nobody = "warm-up".parse().map_err(|_| BenchError::Failed("the project's name".to_owned()))?;
    store.get(&keys::manifest(&nobody), Consistency::Eventual).await?;
    Ok(())
}

/// A request as the gateway hands it to `collect`.
fn request(sent: &Sent) -> Result<Request, BenchError> {
    let request = http::Request::post("/collect")
        .header("user-agent", sent.agent)
        .header("content-type", "text/plain;charset=UTF-8")
        .header("origin", "https://shop.example")
        .extension(ClientAddress(sent.address))
        .body(Body::from(sent.body.as_str()));
    let request = request.map_err(|error| BenchError::Failed(error.to_string()))?;
    let mut context = Context::default();
    context.request_id = "00000000-0000-0000-0000-000000000000".to_owned();
    Ok(request.with_lambda_context(context))
}

/// What Lambda hands to `rollup`.
fn event(records: &[Record], first: u64) -> Value {
    let records = records.iter().enumerate().map(|(at, Record { stored_at, item, .. })| {
        json!({
            "eventID": format!("{:032x}", first + at as u64),
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": stored_at.0 / 1_000,
                "Keys": { PK: item[PK], SK: item[SK] },
                "NewImage": item,
                "SequenceNumber": format!("{:021}", first + at as u64),
                "SizeBytes": 1_000,
                "StreamViewType": "NEW_IMAGE",
            },
        })
    });
    json!({ "Records": records.collect::<Vec<Value>>() })
}

/// An item's size as storage is charged: with a hundred bytes besides its own.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
fn size(item: &Item) -> usize {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::Ns(numbers) => numbers.iter().map(|digits| digits.len().div_ceil(2) + 1).sum(),
        _ => 1,
    };
    100 + item.iter().map(|(name, of)| name.len() + value(of)).sum::<usize>()
}

/// The batches that the collector stores, as the stream has them.
#[derive(Debug, Clone, Default)]
struct NewBatches(Arc<Mutex<Option<Value>>>);

impl NewBatches {
    fn watch(&self, store: &Store) -> Store {
        watched(store, self.clone())
    }

    fn take(&self) -> Option<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Intercept for NewBatches {
    fn name(&self) -> &'static str {
        "NewBatches"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(body) = context.request().body().bytes() else { return Ok(()) };
        let mut request: Value = serde_json::from_slice(body)?;
        let item = request["Item"].take();
        if item[SK]["S"].as_str().is_some_and(|key| key.starts_with(keys::BATCH_PREFIX)) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(item);
        }
        Ok(())
    }
}
