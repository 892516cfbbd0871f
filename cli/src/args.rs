//! The command line: what each command takes, with its help.

use std::path::PathBuf;

use chrono::NaiveDateTime;
use clap::{Args, Parser, Subcommand, ValueEnum};
use counting::{AddressRange, Filter, Pattern};
use figures::ids::{ProjectId, VisitorId};
use figures::retention::Retention;
use figures::site::{HostPattern, Origin, OriginPattern};
use figures::table::store::StoreError;
use figures::time::{Day, Millis};
use shared::api_keys::MAX_LIMIT;
use shared::auth::{ApiKey, KeyKind, Role};
use shared::aws::{DEFAULT_TABLE, is_loopback};
use shared::params::text_of;
use shared::rate_limit::DEFAULT_LIMIT;

use crate::error::CliError;
use crate::import::source::Source;

/// The project that commands work on unless told otherwise.
pub const DEFAULT_PROJECT: &str = "demo";

const EXAMPLES: &str = "\
Examples:
  identity                                  Start everything on this machine, with demo data
  identity dev --empty --data site.db       Start without demo data and keep what is collected
  identity import batches.jsonl --endpoint-url http://127.0.0.1:8000
  identity key create --kind secret --project shop
  identity invite --label ana --role admin --base-url https://data.shop.example

Exit status: 0 on success, 1 on failure, 2 on wrong usage.";

/// Visitor intelligence on your own AWS account, or on this machine.
#[derive(Debug, Parser)]
#[command(name = "identity", version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Arguments {
    /// What to do; nothing is `dev`.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options of `dev`.
    #[command(flatten)]
    pub dev: DevArguments,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start everything on this machine: database, API, collector and a demo project [default]
    Dev(DevArguments),
    /// Store batches from a file, one JSON object a line
    Import(ImportArguments),
    /// Manage projects
    Project(ProjectArguments),
    /// Manage API keys
    Key(KeyArguments),
    /// Let somebody into the dashboard, by a link
    Invite(InviteArguments),
    /// Take a visitor for a person, whatever is sent of it
    Visitor(VisitorArguments),
    /// Erase a visitor, or all that match, with all that it sent, and refuse what it still sends
    Erase(EraseArguments),
    /// Compute everything that is derived from the stored batches anew
    Rebuild(RebuildArguments),
    /// Count batches that could not be counted the first time
    Replay(ReplayArguments),
}

const DEV_EXAMPLES: &str = "\
Examples:
  identity dev                              Demo data, in memory, on http://127.0.0.1:3000
  identity dev --port 0 --dynamodb-port 0   On any free ports
  identity dev --empty --data site.db       No demo data; keep what is collected across runs
  identity dev --rate-limit 100000          A secret key for load tests

The base URL, both keys and a line to try are printed on standard output, everything else on
standard error. RUST_LOG=info shows a line for each request.";

/// What `dev` takes.
#[derive(Debug, Clone, Args)]
#[command(after_help = DEV_EXAMPLES)]
pub struct DevArguments {
    /// Port of the API and the collector on 127.0.0.1; 0 picks a free one
    #[arg(long, value_name = "N", default_value_t = 3000)]
    pub port: u16,
    /// Make no demo data
    #[arg(long)]
    pub empty: bool,
    /// Keep all data in this file across runs, instead of in memory
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Port of DynamoDB's protocol on 127.0.0.1, for the other commands; 0 picks a free one
    /// [default: 8000, or a free one if that is taken]
    #[arg(long, value_name = "N")]
    pub dynamodb_port: Option<u16>,
    /// The project's secret key, instead of a new one: sk_live_ and 32 letters or digits
    #[arg(long, value_name = "KEY", value_parser = secret_key)]
    pub secret_key: Option<ApiKey>,
    /// The project's public key, instead of a new one: pk_live_ and 32 letters or digits
    #[arg(long, value_name = "KEY", value_parser = public_key)]
    pub public_key: Option<ApiKey>,
    /// The project to start with
    #[arg(long, value_name = "ID", default_value = DEFAULT_PROJECT)]
    pub project: ProjectId,
    /// Requests a minute of the secret key
    #[arg(long, value_name = "N", default_value_t = DEFAULT_LIMIT, value_parser = rate_limit())]
    pub rate_limit: u32,
}

/// Which table a command works on.
#[derive(Debug, Clone, Args)]
pub struct TableArguments {
    /// Address of DynamoDB's protocol, such as the one `identity dev` prints [default: AWS]
    #[arg(long, value_name = "URL", global = true)]
    pub endpoint_url: Option<String>,
    /// The table
    #[arg(long, value_name = "NAME", default_value = DEFAULT_TABLE, value_parser = table_name, global = true)]
    pub table: String,
}

impl TableArguments {
    /// Adds to an error what to do about a table that can't be used.
    pub fn explain(&self, error: CliError) -> CliError {
        let error = match error {
            CliError::Store(error) => error,
            other => return other,
        };
        let advice = match (&error, self.endpoint_url.as_deref()) {
            (StoreError::Failed(cause), _) if cause.contains("ResourceNotFoundException") => {
                format!("there is no table {:?} there. Choose it with --table.", self.table)
            }
            (StoreError::Unavailable(_), Some(endpoint)) if is_loopback(endpoint) => {
                format!("is `identity dev` running, and does it print {endpoint} as its DynamoDB address?")
            }
            (StoreError::Unavailable(_) | StoreError::Failed(_), None) => {
                "is AWS_REGION set, with credentials that may use the table? For `identity dev`, give the DynamoDB \
                 address that it prints as --endpoint-url."
                    .to_owned()
            }
            _ => return CliError::Store(error),
        };
        CliError::Failed(format!("{error}\n{advice}"))
    }
}

/// Which table and project a command works on.
#[derive(Debug, Clone, Args)]
pub struct Target {
    /// The table.
    #[command(flatten)]
    pub table: TableArguments,
    /// The project
    #[arg(long, value_name = "ID", default_value = DEFAULT_PROJECT, global = true)]
    pub project: ProjectId,
}

const IMPORT_EXAMPLES: &str = "\
A line is what a tracker sends to the collector, without `key`. Its `visitor` may also carry browser_name,
browser_version, os, mobile, geo_country, geo_country_code, geo_city and ip. Events of any age are taken, and no
clock is corrected. A second run of the same file changes nothing, so a run that was interrupted is just run again.

With --from, the file is what another tool exported, in any order of its rows; docs/importing.md says how to export it,
and what is carried over. What is not is counted on standard error.

Examples:
  identity import batches.jsonl --endpoint-url http://127.0.0.1:8000
  identity import batches.jsonl.gz --project shop
  bq extract --destination_format=NEWLINE_DELIMITED_JSON --compression=GZIP \\
    'analytics_1234.events_20240625' 'gs://bucket/events-*.gz'
  gcloud storage cat 'gs://bucket/events-*.gz' | identity import --from ga4 -
  unzip -p umami-export.zip website_event.csv | identity import --from umami -
  clickhouse-client --database plausible_events_db \\
    --query 'SELECT * FROM events_v2 WHERE site_id = 1 FORMAT JSONEachRow' | identity import --from plausible -
  curl -d 'module=API&method=Live.getLastVisitsDetails&format=JSON&idSite=1&period=range' \\
    -d 'date=2024-01-01,2024-12-31&filter_limit=-1&token_auth=…' https://matomo.example/ > visits.json
  identity import --from matomo visits.json

Exit status: 0 if every line was taken, 1 if one was refused or something failed, 2 on wrong usage.";

/// What `import` takes.
#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub struct ImportArguments {
    /// The file, plain or compressed by gzip; `-` is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The file is an export of another tool
    #[arg(long, value_name = "TOOL", value_enum)]
    pub from: Option<Source>,
    /// Query parameters that are part of a page's address, as the tracker's data-params has them: page,tab
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "from")]
    pub params: Vec<String>,
    /// Return once everything is stored, without waiting until it is counted
    #[arg(long)]
    pub no_wait: bool,
    /// Where to.
    #[command(flatten)]
    pub target: Target,
}

const PROJECT_EXAMPLES: &str = "\
Examples:
  identity project create shop --name 'Web shop' --host shop.example --origin https://shop.example
  identity project update shop --host shop.example --host '*.shop.example'
  identity project update shop --any-origin
  identity project update shop --retention-days 180
  identity project list

Hosts and origins are stored as browsers send them (münchen.example is xn--mnchen-3ya.example), and `project list` shows
them so. `*.shop.example` is every subdomain of shop.example, and not shop.example itself.";

/// What `project` takes.
#[derive(Debug, Args)]
#[command(after_help = PROJECT_EXAMPLES)]
pub struct ProjectArguments {
    /// What to do.
    #[command(subcommand)]
    pub command: ProjectCommand,
    /// Where to.
    #[command(flatten)]
    pub target: Target,
}

/// A command of `project`.
#[derive(Debug, Subcommand)]
pub enum ProjectCommand {
    /// Create a project
    #[command(after_help = PROJECT_EXAMPLES)]
    Create {
        /// Its identifier: 1 to 128 characters of A-Z, a-z, 0-9, _ and -
        id: ProjectId,
        /// Its name for people [default: its identifier]
        #[arg(long, value_name = "NAME", value_parser = label)]
        name: Option<String>,
        /// A host of the site itself, which is no referrer; may be given more than once
        #[arg(long = "host", value_name = "HOST")]
        hosts: Vec<HostPattern>,
        /// An origin whose pages may send data; may be given more than once [default: any]
        #[arg(long = "origin", value_name = "ORIGIN")]
        origins: Vec<OriginPattern>,
        /// Days for which batches and single visitors are kept, 30 or more; 0 is for ever [default: the deployment's]
        #[arg(long, value_name = "N")]
        retention_days: Option<Retention>,
    },
    /// Change what is given of a project, and nothing else
    #[command(after_help = PROJECT_EXAMPLES)]
    Update {
        /// Which
        id: ProjectId,
        /// What to.
        #[command(flatten)]
        changes: ProjectChanges,
    },
    /// List all projects
    #[command(after_help = PROJECT_EXAMPLES)]
    List,
}

/// What `project update` changes.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct ProjectChanges {
    /// Its name for people
    #[arg(long, value_name = "NAME", value_parser = label)]
    pub name: Option<String>,
    /// A host of the site itself, in place of those so far; may be given more than once
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<HostPattern>,
    /// No host is the site's own
    #[arg(long, conflicts_with = "hosts")]
    pub no_host: bool,
    /// An origin whose pages may send data, in place of those so far; may be given more than once
    #[arg(long = "origin", value_name = "ORIGIN")]
    pub origins: Vec<OriginPattern>,
    /// Pages of any origin may send data
    #[arg(long, conflicts_with = "origins")]
    pub any_origin: bool,
    /// Days for which batches and single visitors are kept, 30 or more; 0 is for ever
    #[arg(long, value_name = "N")]
    pub retention_days: Option<Retention>,
}

const KEY_EXAMPLES: &str = "\
A key is shown once, when it is made; only its hash is stored. Standard output is the key alone.

Examples:
  identity key create --kind secret --project shop --label dashboard
  identity key create --kind secret --rate-limit 600 > key.txt
  identity key list --endpoint-url http://127.0.0.1:8000
  identity key rotate 3fa94c
  identity key revoke 3fa94c0d11e2";

/// What `key` takes.
#[derive(Debug, Args)]
#[command(after_help = KEY_EXAMPLES)]
pub struct KeyArguments {
    /// What to do.
    #[command(subcommand)]
    pub command: KeyCommand,
    /// Where to.
    #[command(flatten)]
    pub target: Target,
}

/// A kind of key, as the command line spells it.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Kind {
    /// Reads the API
    Secret,
    /// Sends to the collector; stands in the site's pages
    Public,
}

impl From<Kind> for KeyKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Secret => KeyKind::Secret,
            Kind::Public => KeyKind::Public,
        }
    }
}

/// A command of `key`.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key and print it, once
    #[command(after_help = KEY_EXAMPLES)]
    Create {
        /// What the key is for
        #[arg(long, value_enum)]
        kind: Kind,
        /// Requests a minute of a secret key [default: 60]
        #[arg(long, value_name = "N", value_parser = rate_limit())]
        rate_limit: Option<u32>,
        /// A note to know it by
        #[arg(long, value_name = "TEXT", default_value = "")]
        label: String,
    },
    /// List the project's keys
    #[command(after_help = KEY_EXAMPLES)]
    List,
    /// Make a key like another one, print it, and revoke the other one
    #[command(after_help = KEY_EXAMPLES)]
    Rotate {
        /// The other key's identifier, or the beginning of it: see `key list`
        #[arg(value_parser = key_id)]
        id: String,
    },
    /// Stop a key from working, for good
    #[command(after_help = KEY_EXAMPLES)]
    Revoke {
        /// The key's identifier, or the beginning of it: see `key list`
        #[arg(value_parser = key_id)]
        id: String,
    },
}

const INVITE_EXAMPLES: &str = "\
The link is good once, and for 15 minutes. Whoever opens it is signed in for as long as they come back within 30 days, and is
listed under Settings in the dashboard, where access is taken away. Standard output is the link alone.

Examples:
  identity invite --label ana --role admin --base-url https://data.shop.example
  identity invite --label 'Ana, marketing' --project shop --project blog --base-url https://data.shop.example
  identity invite --label ana --role admin --endpoint-url http://127.0.0.1:8000";

/// What `invite` takes.
#[derive(Debug, Args)]
#[command(after_help = INVITE_EXAMPLES)]
pub struct InviteArguments {
    /// Who is let in, for others to know
    #[arg(long, value_name = "TEXT", value_parser = label)]
    pub label: String,
    /// What they may do
    #[arg(long, value_enum, default_value_t = InvitedAs::Viewer)]
    pub role: InvitedAs,
    /// A project that they may see; may be given more than once [default: all]
    #[arg(long = "project", value_name = "ID")]
    pub projects: Vec<ProjectId>,
    /// The address of the dashboard [default: http://127.0.0.1:3000 where --endpoint-url is of this machine]
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub base_url: Option<String>,
    /// Where to.
    #[command(flatten)]
    pub table: TableArguments,
}

/// A role, as the command line spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InvitedAs {
    /// Manages projects, keys and people, too
    Admin,
    /// Looks at figures
    Viewer,
}

impl From<InvitedAs> for Role {
    fn from(role: InvitedAs) -> Self {
        match role {
            InvitedAs::Admin => Role::Admin,
            InvitedAs::Viewer => Role::Viewer,
        }
    }
}

const VISITOR_EXAMPLES: &str = "\
Whoever knows a visitor's identifier can send a bot_score for it, and above 40 it is in no list and no figure. Trust takes
that back: the visitor's sessions count again, as if no score had ever been sent, and none counts from then on. It can be
stopped and run again. `identity visitor trust` of a real bot counts its sessions too.

Examples:
  identity visitor trust v_a1b2c3d4e5f6 --project shop
  identity visitor trust v_a1b2c3d4e5f6 --endpoint-url http://127.0.0.1:8000";

/// What `visitor` takes.
#[derive(Debug, Args)]
#[command(after_help = VISITOR_EXAMPLES)]
pub struct VisitorArguments {
    /// What to do.
    #[command(subcommand)]
    pub command: VisitorCommand,
    /// Where to.
    #[command(flatten)]
    pub target: Target,
}

/// A command of `visitor`.
#[derive(Debug, Subcommand)]
pub enum VisitorCommand {
    /// Take back that a visitor is a bot, for good
    #[command(after_help = VISITOR_EXAMPLES)]
    Trust {
        /// The visitor
        #[arg(value_name = "VISITOR")]
        visitor: VisitorId,
    },
}

const ERASE_EXAMPLES: &str = "\
All figures are then as if the visitor had never come. Its identifier is kept as a hash alone, to refuse what its
browser still sends. It can be stopped and run again.

With --matching, all visitors go that the filters say, all of which have to be met: everything that a visitor ever sent came
from the address and within the time, and some of it was of the page and of the referrer. So a visitor that came before, or
from elsewhere too, stays. Nothing is removed without --yes: what would be is shown. Addresses are readable for 30 days.

Examples:
  identity erase v_a1b2c3d4e5f6 --project shop
  identity erase v_a1b2c3d4e5f6 --endpoint-url http://127.0.0.1:8000
  identity erase --matching --ip 203.0.113.0/24 --since 2025-06-25T08:00Z
  identity erase --matching --referrer spam.example --max-batches 1 --project shop --yes
  identity erase --matching --url '/cheap-*' --since 2025-06-25 --until 2025-06-26 --yes";

/// What `erase` takes.
#[derive(Debug, Args)]
#[command(after_help = ERASE_EXAMPLES)]
pub struct EraseArguments {
    /// The visitor
    #[arg(
        value_name = "VISITOR",
        required_unless_present = "matching",
        conflicts_with_all = ["matching", "FilterArguments", "yes"]
    )]
    pub visitor: Option<VisitorId>,
    /// All visitors that the filters say
    #[arg(long, requires = "FilterArguments")]
    pub matching: bool,
    /// Which ones.
    #[command(flatten)]
    pub filter: FilterArguments,
    /// Remove them, instead of showing what would be removed
    #[arg(long, requires = "matching")]
    pub yes: bool,
    /// Where to.
    #[command(flatten)]
    pub target: Target,
}

/// What `erase --matching` asks of a visitor.
#[derive(Debug, Default, Args)]
pub struct FilterArguments {
    /// All that it sent came from this address, or from one that begins like it
    #[arg(long, value_name = "ADDRESS[/BITS]", requires = "matching")]
    pub ip: Option<AddressRange>,
    /// All that it sent was received at this time or later: 2025-06-25 or 2025-06-25T08:00Z, UTC
    #[arg(long, value_name = "TIME", value_parser = since, requires = "matching")]
    pub since: Option<Millis>,
    /// All that it sent was received before this time, or on this day at the latest
    #[arg(long, value_name = "TIME", value_parser = until, requires = "matching")]
    pub until: Option<Millis>,
    /// A page that it came to, as the API shows it; a `*` at the end stands for anything
    #[arg(long, value_name = "URL", value_parser = pattern, requires = "matching")]
    pub url: Option<Pattern>,
    /// What it was referred by, or the host of that; a `*` at the end stands for anything
    #[arg(long, value_name = "REFERRER", value_parser = pattern, requires = "matching")]
    pub referrer: Option<Pattern>,
    /// It sent so many batches at least
    #[arg(long, value_name = "N", requires = "matching")]
    pub min_batches: Option<u32>,
    /// It sent so many batches at most
    #[arg(long, value_name = "N", requires = "matching")]
    pub max_batches: Option<u32>,
}

impl From<FilterArguments> for Filter {
    fn from(arguments: FilterArguments) -> Self {
        let FilterArguments { ip, since, until, url, referrer, min_batches, max_batches } = arguments;
        Filter { addresses: ip, since, until, url, referrer, min_batches, max_batches }
    }
}

const REBUILD_EXAMPLES: &str = "\
Batches are taken and counted meanwhile, and figures change from the old ones to the new ones at once. It can be stopped
and run again.

Examples:
  identity rebuild --check --project shop
  identity rebuild --endpoint-url http://127.0.0.1:8000

Exit status: 0 if nothing differs, or what differed is rebuilt; 1 if --check found differences, or something failed.";

/// What `rebuild` takes.
#[derive(Debug, Args)]
#[command(after_help = REBUILD_EXAMPLES)]
pub struct RebuildArguments {
    /// Only report what differs
    #[arg(long)]
    pub check: bool,
    /// Where to.
    #[command(flatten)]
    pub target: Target,
}

const REPLAY_EXAMPLES: &str = "\
A batch that can't be counted is put on the deployment's queue of dead letters, by its key; the batch itself stays in the
table. Once the cause is mended, replay counts what is queued and takes it off the queue. Without a queue it
looks through the whole table for batches that were never counted.

Examples:
  identity replay --table shop-table --queue-url https://sqs.eu-west-1.amazonaws.com/123456789012/shop-dead-letters
  identity replay --endpoint-url http://127.0.0.1:8000

Exit status: 0 if everything is counted, 1 if something still can't be, or something failed.";

/// What `replay` takes.
#[derive(Debug, Args)]
#[command(after_help = REPLAY_EXAMPLES)]
pub struct ReplayArguments {
    /// The queue of dead letters: the output DeadLetterQueueUrl of the deployed stack
    #[arg(long, value_name = "URL")]
    pub queue_url: Option<String>,
    /// Where to.
    #[command(flatten)]
    pub target: Target,
}

fn pattern(text: &str) -> Result<Pattern, String> {
    Ok(Pattern::from(text))
}

fn since(text: &str) -> Result<Millis, String> {
    time(text).map(|time| match time {
        Time::Day(day) => day.start(),
        Time::Instant(instant) => instant,
    })
}

fn until(text: &str) -> Result<Millis, String> {
    time(text).map(|time| match time {
        Time::Day(day) => day.plus(1).start(),
        Time::Instant(instant) => instant,
    })
}

/// A time as the command line takes it.
enum Time {
    Day(Day),
    Instant(Millis),
}

fn time(text: &str) -> Result<Time, String> {
    if let Ok(day) = text.parse() {
        return Ok(Time::Day(day));
    }
    let formats = ["%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%.3fZ"];
    let instant = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let instant = instant.map(|instant| Time::Instant(Millis(instant.and_utc().timestamp_millis())));
    instant.ok_or_else(|| "must be a day or a time in UTC, such as 2025-06-25 or 2025-06-25T08:00Z".into())
}

fn rate_limit() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(MAX_LIMIT))
}

fn secret_key(text: &str) -> Result<ApiKey, String> {
    key_of(KeyKind::Secret, text)
}

fn public_key(text: &str) -> Result<ApiKey, String> {
    key_of(KeyKind::Public, text)
}

fn key_of(kind: KeyKind, text: &str) -> Result<ApiKey, String> {
    ApiKey::parse(text)
        .filter(|key| key.kind() == kind)
        .ok_or_else(|| format!("must be {} and 32 letters or digits", kind.prefix()))
}

fn table_name(text: &str) -> Result<String, String> {
    let formed = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if formed && (3..=255).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("must be 3 to 255 of the characters A-Z, a-z, 0-9, _, . and -".into())
    }
}

fn key_id(text: &str) -> Result<String, String> {
    let hexadecimal = !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hexadecimal { Ok(text.to_ascii_lowercase()) } else { Err("must be an identifier that `key list` shows".into()) }
}

fn label(text: &str) -> Result<String, String> {
    match text_of("label", text) {
        Ok(label) if !label.is_empty() => Ok(label),
        _ => Err("must be one line of 1 to 100 characters".into()),
    }
}

fn base_url(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let origin: Result<Origin, _> = text.parse();
    let invalid = |_| "must be an address without a path, such as https://data.shop.example".to_owned();
    origin.map(|origin| origin.to_string()).map_err(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn no_command_is_dev_with_its_options() {
        let parsed = Arguments::try_parse_from(["identity", "--port", "0", "--empty"]);
        assert!(matches!(parsed, Ok(Arguments { command: None, dev: DevArguments { port: 0, empty: true, .. } })));
        let both = Arguments::try_parse_from(["identity", "--port", "0", "project", "list"]);
        assert!(both.is_err());
    }

    #[test]
    fn the_target_may_stand_before_or_after_the_inner_command() {
        for line in ["identity key --project shop list", "identity key list --project shop"] {
            let Ok(Arguments { command: Some(Command::Key(key)), .. }) = Arguments::try_parse_from(line.split(' '))
            else {
                panic!("{line}")
            };
            assert_eq!(key.target.project.as_str(), "shop");
        }
    }

    #[test]
    fn what_is_erased_is_a_visitor_or_what_filters_say() {
        let parse = |line: &str| Arguments::try_parse_from(line.split(' '));
        for line in [
            "identity erase",
            "identity erase --matching",
            "identity erase --matching --yes",
            "identity erase --ip 203.0.113.9",
            "identity erase v_1 --yes",
            "identity erase v_1 --url /",
            "identity erase v_1 --matching --url /",
            "identity erase --matching --ip example.org",
            "identity erase --matching --since yesterday",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
        let line = "identity erase --matching --since 2025-06-25 --until 2025-06-25 --ip 2001:db8::/64 --max-batches 1";
        let Ok(Arguments { command: Some(Command::Erase(erase)), .. }) = parse(line) else { panic!("{line}") };
        let day = Millis(1_750_809_600_000);
        assert_eq!((erase.filter.since, erase.filter.until), (Some(day), Some(day.plus(86_400_000))));
        assert!(!erase.yes && erase.visitor.is_none() && erase.filter.url.is_none());
    }

    #[test]
    fn a_time_is_a_day_or_an_instant() {
        let day = Millis(1_750_809_600_000);
        assert_eq!((since("2025-06-25"), until("2025-06-25")), (Ok(day), Ok(day.plus(86_400_000))));
        for text in ["2025-06-25T08:00Z", "2025-06-25T08:00:00Z", "2025-06-25T08:00:00.000Z"] {
            assert_eq!((since(text), until(text)), (Ok(day.plus(28_800_000)), Ok(day.plus(28_800_000))), "{text}");
        }
        for bad in ["", "2025-06-31", "2025-06-25T08", "2025-06-25T08:00", "2025-06-25T08:00+02:00", "1750809600"] {
            assert!(since(bad).is_err(), "{bad}");
        }
    }
}
