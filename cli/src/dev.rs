//! The local stack: the engine, the API, the collector and the stream's consumer in one process.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::{ReconnectMode, RetryConfig};
use aws_sdk_dynamodb::config::{SharedHttpClient, StalledStreamProtectionConfig};
use aws_sdk_dynamodbstreams::config::{BehaviorVersion, Credentials, Region};
use figures::ids::ProjectId;
use figures::table::schema;
use figures::table::store::{Store, StoreError};
use figures::time::{Clock, Millis};
use shared::api_keys;
use shared::app::App;
use shared::auth::{Access, ApiKey, KeyKind, Projects, Role};
use shared::aws::DEFAULT_TABLE;
use shared::people;
use shared::projects::{self, Settings};
use shared::rate_limit::DEFAULT_LIMIT;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::args::{DEFAULT_PROJECT, DevArguments};
use crate::demo;
use crate::demo_site::{self, DemoSite};
use crate::engine::{Engine, EngineError};
use crate::error::CliError;
use crate::http::Listening;
use crate::output;
use crate::server::Functions;
use crate::stream::Follower;

/// How long a group of batches may take to be applied when the stack stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// How a stack is started.
#[derive(Debug)]
pub struct Options {
    /// Port of the API and the collector; 0 picks one.
    pub port: u16,
    /// Port of the engine.
    pub engine_port: EnginePort,
    /// The file to keep data in; without one it is kept in memory.
    pub data: Option<PathBuf>,
    /// Whether there is demo data.
    pub demo: bool,
    /// The project to start with; it is created if need be.
    pub project: ProjectId,
    /// A secret key of the project, instead of a new one.
    pub secret_key: Option<ApiKey>,
    /// A public key of the project, instead of a new one.
    pub public_key: Option<ApiKey>,
    /// Requests a minute of the secret key.
    pub rate_limit: u32,
    /// Whether the stack counts what is stored; if not, someone else has to.
    pub counts: bool,
    /// What tells the API the time.
    pub clock: Clock,
}

impl From<DevArguments> for Options {
    fn from(arguments: DevArguments) -> Self {
        Options {
            port: arguments.port,
            engine_port: arguments.dynamodb_port.map_or(EnginePort::Preferred(8000), EnginePort::Exactly),
            data: arguments.data,
            demo: !arguments.empty,
            project: arguments.project,
            secret_key: arguments.secret_key,
            public_key: arguments.public_key,
            rate_limit: arguments.rate_limit,
            counts: true,
            clock: Clock::System,
        }
    }
}

/// The engine's port.
#[derive(Debug, Clone, Copy)]
pub enum EnginePort {
    /// This one; 0 picks one.
    Exactly(u16),
    /// This one, or another if it is taken.
    Preferred(u16),
}

impl Options {
    /// An empty stack in memory, on any ports, with keys of its own.
    pub fn empty(project: ProjectId) -> Self {
        Options {
            port: 0,
            engine_port: EnginePort::Exactly(0),
            data: None,
            demo: false,
            project,
            secret_key: None,
            public_key: None,
            rate_limit: DEFAULT_LIMIT,
            counts: true,
            clock: Clock::System,
        }
    }
}

/// Why a stack could not start.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// Something else listens on a port.
    #[error(
        "port {port} is in use, perhaps by another `identity dev`. Choose another with `{option} N`, or any free one with `{option} 0`."
    )]
    PortTaken {
        /// The port.
        port: u16,
        /// The option that chooses it.
        option: &'static str,
    },
    /// A port can't be listened on.
    #[error("port {port} can't be listened on: {cause}. Choose another with `{option} N`.")]
    Port {
        /// The port.
        port: u16,
        /// The option that chooses it.
        option: &'static str,
        /// What the system says.
        cause: io::Error,
    },
    /// The engine could not start.
    #[error("the data can't be opened: {0}")]
    Engine(#[from] EngineError),
    /// The table could not be prepared.
    #[error("the table can't be prepared: {0}")]
    Table(#[from] StoreError),
    /// The project or its keys could not be prepared.
    #[error("{0}")]
    Keys(CliError),
}

/// A running stack.
#[derive(Debug)]
pub struct Stack {
    address: SocketAddr,
    endpoint_url: String,
    project: ProjectId,
    secret_key: ApiKey,
    public_key: ApiKey,
    store: Store,
    /// Nothing where the table is on another process's engine.
    engine: Option<Engine>,
    server: Listening,
    /// Stops the background tasks, at the latest when the stack is dropped.
    stop: DropGuard,
    follower: Option<JoinHandle<()>>,
    demo: Option<JoinHandle<()>>,
}

impl Stack {
    /// Starts everything. The demo data arrives while the stack serves already.
    pub async fn start(options: Options) -> Result<Self, StackError> {
        let listener = listen(options.port, "--port").await?;
        let engine_listener = listen_for_engine(options.engine_port).await?;
        let endpoint_url = url(address(&engine_listener)?);
        let engine = Engine::start(engine_listener, options.data.as_deref())?;
        Self::serve(listener, Some(engine), endpoint_url, DEFAULT_TABLE, options).await
    }

    /// Starts everything but the engine, on a table of another engine of this machine. The table is created
    /// if need be. What the options say of an engine has no meaning then.
    pub async fn start_on(endpoint_url: &str, table: &str, options: Options) -> Result<Self, StackError> {
        let listener = listen(options.port, "--port").await?;
        Self::serve(listener, None, endpoint_url.to_owned(), table, options).await
    }

    async fn serve(
        listener: TcpListener,
        engine: Option<Engine>,
        endpoint_url: String,
        table: &str,
        options: Options,
    ) -> Result<Self, StackError> {
        let address = address(&listener)?;
        let http_client = engine.as_ref().map_or_else(shared::aws::https_client, Engine::http_client);
        let store = match engine {
            Some(_) => Store::new(unsigned(&endpoint_url, http_client.clone()), table),
            None => Store::new(shared::aws::client(Some(&endpoint_url)).await, table),
        };
        schema::create(&store).await?;

        let keys = Keys::prepare(&store, &options).await.map_err(StackError::Keys)?;
        let app = Arc::new(App::new(store.clone()).on_loopback().with_clock(options.clock.clone()));
        let functions = Functions::new(app).with(DemoSite::new(&keys.public));
        let server = Listening::start(listener, functions);
        let stop = CancellationToken::new();
        let follower = options.counts.then(|| {
            let follower = Follower::new(streams(&endpoint_url, http_client), store.clone());
            follow(follower, stop.clone())
        });
        let demo = options.demo.then(|| {
            let demo = demo::run(store.clone(), options.project.clone(), stop.clone());
            tokio::spawn(demo)
        });
        Ok(Stack {
            address,
            endpoint_url,
            project: options.project,
            secret_key: keys.secret,
            public_key: keys.public,
            store,
            engine,
            server,
            stop: stop.drop_guard(),
            follower,
            demo,
        })
    }

    /// The address of the API and the collector, without a path.
    pub fn base_url(&self) -> String {
        url(self.address)
    }

    /// The address of DynamoDB's protocol.
    pub fn endpoint_url(&self) -> &str {
        &self.endpoint_url
    }

    /// The project that was started with.
    pub fn project(&self) -> &ProjectId {
        &self.project
    }

    /// A secret key of the project.
    pub fn secret_key(&self) -> &str {
        self.secret_key.reveal()
    }

    /// A public key of the project.
    pub fn public_key(&self) -> &str {
        self.public_key.reveal()
    }

    /// The table.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Stops everything, the edge first, so that what was answered is stored and what is being
    /// applied is finished.
    pub async fn shutdown(self) {
        self.stop.disarm().cancel();
        self.server.stop().await;
        for task in self.demo.into_iter().chain(self.follower) {
            if tokio::time::timeout(STOP_TIMEOUT, task).await.is_err() {
                tracing::warn!("a background task was cut off; it goes on when the stack starts again");
            }
        }
        drop(self.store);
        if let Some(engine) = self.engine {
            engine.stop().await;
        }
    }
}

/// The keys that a stack was started with.
struct Keys {
    secret: ApiKey,
    public: ApiKey,
}

impl Keys {
    async fn prepare(store: &Store, options: &Options) -> Result<Self, CliError> {
        let now = Millis::now();
        projects::create(store, &options.project, &Settings::default(), now).await?;
        let key = |fixed: &Option<ApiKey>, kind| fixed.clone().map_or_else(|| ApiKey::generate(kind), Ok);
        let secret = key(&options.secret_key, KeyKind::Secret)?;
        let public = key(&options.public_key, KeyKind::Public)?;
        api_keys::register(store, &options.project, &secret, Some(options.rate_limit), now).await?;
        api_keys::register(store, &options.project, &public, None, now).await?;
        Ok(Keys { secret, public })
    }
}

/// Counting merges and packs much at a time, so it has a thread to itself and holds up no request.
fn follow(follower: Follower, stop: CancellationToken) -> JoinHandle<()> {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(follower.run(stop)))
}

async fn listen(port: u16, option: &'static str) -> Result<TcpListener, StackError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|cause| match cause.kind() {
        io::ErrorKind::AddrInUse => StackError::PortTaken { port, option },
        _ => StackError::Port { port, option, cause },
    })
}

async fn listen_for_engine(port: EnginePort) -> Result<TcpListener, StackError> {
    const OPTION: &str = "--dynamodb-port";
    match port {
        EnginePort::Exactly(port) => listen(port, OPTION).await,
        EnginePort::Preferred(port) => match listen(port, OPTION).await {
            Err(StackError::PortTaken { .. }) => listen(0, OPTION).await,
            outcome => outcome,
        },
    }
}

fn address(listener: &TcpListener) -> Result<SocketAddr, StackError> {
    listener.local_addr().map_err(|cause| StackError::Port { port: 0, option: "--port", cause })
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// A client of the engine of this process. There is nobody in between who could change what it asks or keep it waiting,
/// so nothing is signed and no stream is watched.
fn unsigned(endpoint_url: &str, http_client: SharedHttpClient) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http_client)
        .endpoint_url(endpoint_url)
        .region(Region::new("us-east-1"))
        .allow_no_auth()
        .retry_config(retries())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}

/// The engine of this process has no connection that a try after an error could do without.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_reconnect_mode(ReconnectMode::ReuseAllConnections)
}

/// A client of the streams of an engine on this machine.
fn streams(endpoint_url: &str, http_client: SharedHttpClient) -> aws_sdk_dynamodbstreams::Client {
    let config = aws_sdk_dynamodbstreams::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http_client)
        .endpoint_url(endpoint_url)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "local"))
        .retry_config(retries())
        .build();
    aws_sdk_dynamodbstreams::Client::from_conf(config)
}

/// Starts a stack, says how to use it, and stops it when the process is asked to.
pub async fn run(options: Options) -> Result<(), CliError> {
    let mut stopped = Signals::new().map_err(|error| CliError::Failed(format!("no signals: {error}")))?;
    let started = tokio::select! {
        started = Stack::start(options) => started,
        () = stopped.next() => return Ok(()),
    };
    let stack = started.map_err(|error| CliError::Failed(error.to_string()))?;
    let link = invitation(&stack).await?;
    output::line(&introduction(&stack, &link))?;
    eprintln!("Running. Ctrl-C stops it.");
    stopped.next().await;
    eprintln!("Stopping…");
    stack.shutdown().await;
    Ok(())
}

/// A link for whoever started the stack.
async fn invitation(stack: &Stack) -> Result<String, CliError> {
    let access = Access { label: "identity dev".to_owned(), role: Role::Admin, projects: Projects::All };
    let invitation = people::invite(stack.store(), &access, None, Millis::now()).await?;
    Ok(invitation.link(&stack.base_url()))
}

fn introduction(stack: &Stack, link: &str) -> String {
    let (base, project, secret) = (stack.base_url(), stack.project(), stack.secret_key());
    let option = if project.as_str() == DEFAULT_PROJECT { String::new() } else { format!(" --project {project}") };
    format!(
        "\
Dashboard   {link}
Base URL    {base}
Project     {project}
Secret key  {secret}
Public key  {public}
DynamoDB    {endpoint}
Demo site   {base}{demo}

Try it:
  curl -s -H \"Authorization: Bearer {secret}\" \"{base}/api/v1/stats\"
See yourself, some seconds after you opened the demo site:
  curl -s -H \"Authorization: Bearer {secret}\" \"{base}/api/v1/live\"
  curl -s -H \"Authorization: Bearer {secret}\" \"{base}/api/v1/visitors?search=127.0.0.1\"
Import:
  identity import FILE --endpoint-url {endpoint}{option}
Sign in again (a link is good once, and for 15 minutes):
  identity invite --label me --role admin --endpoint-url {endpoint} --base-url {base}",
        public = stack.public_key(),
        demo = demo_site::HOME,
        endpoint = stack.endpoint_url(),
    )
}

/// The signals that ask a process to stop.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Signals {})
    }

    async fn next(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "Ctrl-C can't be waited for");
            std::future::pending::<()>().await;
        }
    }
}
