//! Lambda functions as AWS runs them: their binaries under AWS's runtime interface emulator, asked with the events of
//! an HTTP API. Each has a proxy before the table, which knows what it asked for and can fail.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use aws_lambda_events::encodings;
use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Map, Value, json};
use shared::routes;
use tempfile::NamedTempFile;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::clock::now;
use crate::faults::{FaultyProxy, Schedule};
use crate::http::Response;
use crate::stack::Stack;

/// The environment variable with the folder that holds a folder for each function, with its `bootstrap` in it.
const BINARIES_VARIABLE: &str = "IDENTITY_LAMBDA_BINARIES";
/// The environment variable with the folder that holds the same of the last release.
const LAST_RELEASE_VARIABLE: &str = "IDENTITY_LAST_RELEASE_BINARIES";
/// The environment variable with the emulator's file.
const EMULATOR_VARIABLE: &str = "IDENTITY_LAMBDA_EMULATOR";
/// The environment variable with the file that holds the template as JSON.
const TEMPLATE_VARIABLE: &str = "IDENTITY_LAMBDA_TEMPLATE";

/// How long the emulator may take to listen on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The address that requests come from.
pub const CLIENT_ADDRESS: &str = "203.0.113.9";
/// The host of the API.
const HOST: &str = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com";

/// What it takes to run functions; `scripts/lambda-tests` has it.
#[derive(Debug)]
pub struct Lambda {
    binaries: PathBuf,
    emulator: PathBuf,
    /// The template that deploys the functions.
    pub template: Value,
}

/// A running function.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Between the function and the table.
    pub proxy: FaultyProxy,
    url: String,
    client: Client,
    output: NamedTempFile,
    /// Killed when it is dropped; the function ends by itself when it hears no more of it.
    _emulator: Child,
}

/// A request as it comes to the gateway.
#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    /// As a client writes it, with the query.
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Body>,
}

/// A body as the gateway hands it over.
#[derive(Debug, Clone)]
enum Body {
    Text(String),
    Base64(Vec<u8>),
}

impl Lambda {
    /// What the environment names, if it does.
    pub fn from_environment() -> Option<Self> {
        let path = |variable| std::env::var_os(variable).map(PathBuf::from);
        let template = path(TEMPLATE_VARIABLE).map(|file| fs::read_to_string(file).unwrap())?;
        Some(Lambda {
            binaries: path(BINARIES_VARIABLE)?,
            emulator: path(EMULATOR_VARIABLE)?,
            template: serde_json::from_str(&template).unwrap(),
        })
    }

    /// The last release's functions, if the environment names them. This release's template deploys them.
    pub fn last_release(&self) -> Option<Self> {
        let binaries = std::env::var_os(LAST_RELEASE_VARIABLE).map(PathBuf::from)?;
        Some(Lambda { binaries, emulator: self.emulator.clone(), template: self.template.clone() })
    }

    /// Starts a function on a stack's table.
    pub async fn start(&self, name: &str, stack: &Stack) -> Function {
        self.start_failing(name, stack, Schedule::Never).await
    }

    /// Starts a function on a stack's table, some of whose writes fail.
    pub async fn start_failing(&self, name: &str, stack: &Stack, schedule: Schedule) -> Function {
        let proxy = FaultyProxy::start(&stack.endpoint_url(), schedule).await.unwrap();
        let table_url = proxy.url();
        self.start_at(name, stack, proxy, &table_url).await
    }

    /// Starts a function whose table is at an address where nobody listens.
    pub async fn start_without_table(&self, name: &str, stack: &Stack) -> Function {
        let proxy = FaultyProxy::start(&stack.endpoint_url(), Schedule::Never).await.unwrap();
        self.start_at(name, stack, proxy, &format!("http://127.0.0.1:{}", free_port())).await
    }

    async fn start_at(&self, name: &str, stack: &Stack, proxy: FaultyProxy, table_url: &str) -> Function {
        let bootstrap = self.binaries.join(name).join("bootstrap");
        assert!(bootstrap.is_file(), "{} is missing", bootstrap.display());
        let (address, api_address) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
        let output = NamedTempFile::new().unwrap();
        let emulator = Command::new(&self.emulator)
            .args(["--runtime-interface-emulator-address", &address, "--runtime-api-address", &api_address])
            .args(["--log-level", "warn"])
            .arg(bootstrap)
            .env_clear()
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_TIMEOUT", self.time_limit(name).as_secs().to_string())
            .envs([("AWS_REGION", "eu-central-1"), ("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")])
            .env("TABLE_NAME", stack.store().table())
            .env("AWS_ENDPOINT_URL_DYNAMODB", table_url)
            .env("MAX_DAILY_UNITS", "1000000")
            .stdin(Stdio::null())
            .stdout(output.reopen().unwrap())
            .stderr(output.reopen().unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let since = Instant::now();
        while TcpStream::connect(&address).await.is_err() {
            assert!(since.elapsed() < PATIENCE, "the emulator of {name} does not listen");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Function {
            name: name.to_owned(),
            proxy,
            url: format!("http://{address}/2015-03-31/functions/function/invocations"),
            client: Client::new(),
            output,
            _emulator: emulator,
        }
    }

    /// How long the template lets an invocation of a function take.
    pub fn time_limit(&self, name: &str) -> Duration {
        let mut resources = self.template["Resources"].as_object().unwrap().values();
        let function = resources.find(|resource| resource["Metadata"]["BuildProperties"]["Binary"] == name);
        let own = function.and_then(|function| function["Properties"]["Timeout"].as_u64());
        let usual = || self.template["Globals"]["Function"]["Timeout"].as_u64().unwrap();
        Duration::from_secs(own.unwrap_or_else(usual))
    }
}

impl Function {
    /// Hands an event to the function, and gives its answer.
    ///
    /// # Panics
    /// If it fails, or takes longer than it may.
    pub async fn invoke(&self, event: &Value) -> Value {
        let sent = self.client.post(&self.url).json(event).send().await;
        let text = sent.unwrap().text().await.unwrap();
        let answer: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{}: {text}\n{}", self.name, self.log()));
        assert!(answer.get("errorType").is_none(), "{}: {answer}\n{}", self.name, self.log());
        answer
    }

    /// What the function answers a request through the gateway.
    pub async fn answer(&self, request: &Request) -> Response {
        let answer = self.invoke(&request.event()).await;
        let header = |(name, value): (&String, &Value)| {
            let value = HeaderValue::from_str(value.as_str().unwrap()).unwrap();
            (HeaderName::try_from(name).unwrap(), value)
        };
        let body = match answer["isBase64Encoded"].as_bool().unwrap() {
            true => serde_json::from_value::<encodings::Base64Data>(answer["body"].clone()).unwrap().0,
            false => answer["body"].as_str().unwrap_or_default().as_bytes().to_vec(),
        };
        let mut headers: HeaderMap = answer["headers"].as_object().unwrap().iter().map(header).collect();
        // The gateway is given cookies apart, and sends a header for each.
        for cookie in answer["cookies"].as_array().into_iter().flatten() {
            headers.append("set-cookie", HeaderValue::from_str(cookie.as_str().unwrap()).unwrap());
        }
        let status = StatusCode::from_u16(answer["statusCode"].as_u64().unwrap().try_into().unwrap()).unwrap();
        Response::new(status, headers, body)
    }

    /// What it and its emulator wrote.
    pub fn log(&self) -> String {
        let mut text = Vec::new();
        let mut file = self.output.reopen().unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Request {
    /// A request of a path with its query.
    pub fn new(method: Method, path: &str) -> Self {
        Request { method, path: path.to_owned(), headers: Vec::new(), body: None }
    }

    /// A request of the API by a key's holder.
    pub fn get(path: &str, key: &str) -> Self {
        Request::new(Method::GET, path).header("authorization", &format!("Bearer {key}"))
    }

    /// The same with another method.
    #[must_use]
    pub fn method(self, method: Method) -> Self {
        Request { method, ..self }
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a body that the gateway takes for text.
    #[must_use]
    pub fn text(self, body: impl Into<String>) -> Self {
        Request { body: Some(Body::Text(body.into())), ..self }
    }

    /// With a body that the gateway takes for binary.
    #[must_use]
    pub fn bytes(self, body: impl Into<Vec<u8>>) -> Self {
        Request { body: Some(Body::Base64(body.into())), ..self }
    }

    /// The event of payload format 2.0. An HTTP API hands over the path decoded and the query both ways.
    fn event(&self) -> Value {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let raw_path = percent_decode_str(path).decode_utf8_lossy();
        let found = routes::find(path);
        let route = match found.as_ref().filter(|(route, _)| route.takes(self.method.as_str())) {
            Some((route, _)) => format!("{} {}", self.method, route.path),
            None => "$default".to_owned(),
        };
        let mut headers: Map<String, Value> = Map::new();
        let usual = [("host", HOST), ("x-forwarded-for", CLIENT_ADDRESS), ("x-forwarded-port", "443")];
        let usual = usual.into_iter().chain([("x-forwarded-proto", "https"), ("accept", "*/*")]);
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let (cookies, own): (Vec<_>, Vec<_>) = own.partition(|(name, _)| *name == "cookie");
        headers.extend(usual.chain(own).map(|(name, value)| (name.to_owned(), json!(value))));
        let mut event = json!({
            "version": "2.0",
            "routeKey": route,
            "rawPath": raw_path,
            "rawQueryString": query,
            "headers": headers,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "a1b2c3d4e5",
                "domainName": HOST,
                "domainPrefix": "a1b2c3d4e5",
                "http": {
                    "method": self.method.as_str(),
                    "path": raw_path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": CLIENT_ADDRESS,
                    "userAgent": headers.get("user-agent").cloned().unwrap_or_default(),
                },
                "requestId": "JKJaXmPLvHcESHA=",
                "routeKey": route,
                "stage": "$default",
                "time": "12/Mar/2020:19:03:58 +0000",
                "timeEpoch": now(),
            },
            "isBase64Encoded": matches!(self.body, Some(Body::Base64(_))),
        });
        // They come apart from the headers, a text for each.
        if !cookies.is_empty() {
            event["cookies"] = cookies.iter().flat_map(|(_, line)| line.split("; ")).collect();
        }
        if !query.is_empty() {
            event["queryStringParameters"] = parameters(query);
        }
        if let Some((route, Some(parameter))) = found {
            let name = route.path.split(['{', '}']).nth(1).unwrap();
            event["pathParameters"] = json!({ name: parameter });
        }
        match &self.body {
            None => {}
            Some(Body::Text(text)) => event["body"] = json!(text),
            Some(Body::Base64(bytes)) => event["body"] = json!(encodings::Body::Binary(bytes.clone())),
        }
        event
    }
}

/// The parameters of a query, decoded; those that come more than once are joined by commas.
fn parameters(query: &str) -> Value {
    let mut parameters: Map<String, Value> = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let joined = match parameters.get(&*name).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value.into_owned(),
        };
        parameters.insert(name.into_owned(), json!(joined));
    }
    Value::Object(parameters)
}

/// A port that nobody listens on, and nobody is given who lets the system choose one: those are higher.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    let start = (std::process::id() % u32::from(COUNT)) as u16;
    loop {
        let port = FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
