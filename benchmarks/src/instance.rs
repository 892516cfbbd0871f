//! An instance of a function in a process of its own, so that its memory is the request's alone.

use std::process::{Command, Stdio};
use std::sync::Arc;

use counting::Consumer;
use figures::table::store::Store;
use identity::dev::Stack;
use identity::server::Functions;
use lambda_http::{Body, Request};
use shared::app::App;

use crate::BenchError;
use crate::served::peak_memory_mib;

/// The argument that makes the benchmark's program an instance; the engine's address, a secret key, a path and a number of
/// requests follow.
pub const INSTANCE: &str = "instance";

/// The argument that makes the benchmark's program a rebuild; the engine's address and a project follow.
pub const REBUILD: &str = "rebuild";

/// The most memory that a process takes which does nothing but answer a request, so many times, in MiB.
pub async fn peak_memory(stack: &Stack, path: &str, requests: usize) -> Result<f64, BenchError> {
    told_by(&[INSTANCE, stack.endpoint_url(), stack.secret_key(), path, &requests.to_string()]).await
}

/// The most memory that a process takes which does nothing but rebuild the stack's project, in MiB.
pub async fn peak_memory_of_rebuild(stack: &Stack) -> Result<f64, BenchError> {
    told_by(&[REBUILD, stack.endpoint_url(), stack.project().as_str()]).await
}

/// The number that this program prints when it is started with other arguments.
async fn told_by(arguments: &[&str]) -> Result<f64, BenchError> {
    let failed = |error: std::io::Error| BenchError::Failed(error.to_string());
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.args(arguments).stderr(Stdio::inherit());
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.map_err(|error| BenchError::Failed(error.to_string()))?.map_err(failed)?;
    let told = String::from_utf8_lossy(&output.stdout).trim().parse();
    told.map_err(|_| BenchError::Failed(format!("{arguments:?} ends with {}", output.status)))
}

/// Rebuilds a project on an engine's table, and prints the memory that it took.
pub async fn rebuild(endpoint_url: &str, project: &str) -> Result<(), BenchError> {
    let store = Store::new(shared::aws::client(Some(endpoint_url)).await, shared::aws::DEFAULT_TABLE);
    let project = project.parse().map_err(|_| BenchError::Failed(format!("{project} is no project")))?;
    Consumer::new(store).rebuild(&project, false, |_| {}).await?;
    println!("{}", peak_memory_mib("self"));
    Ok(())
}

/// Answers a request on an engine's table so many times, and prints the memory that it took.
pub async fn run(endpoint_url: &str, secret_key: &str, path: &str, requests: usize) -> Result<(), BenchError> {
    let store = Store::new(shared::aws::client(Some(endpoint_url)).await, shared::aws::DEFAULT_TABLE);
    let functions = Functions::new(Arc::new(App::new(store)));
    let request = request(secret_key, path)?;
    for _ in 0..requests {
        let status = functions.answer(&request).await.status();
        if !status.is_success() {
            return Err(BenchError::Failed(format!("{path} is answered {status}")));
        }
    }
    println!("{}", peak_memory_mib("self"));
    Ok(())
}

/// A request of the API, as a function is given it.
pub fn request(secret_key: &str, path: &str) -> Result<Request, BenchError> {
    let request =
        http::Request::builder().uri(format!("/api/v1/{path}")).header("authorization", format!("Bearer {secret_key}"));
    request.body(Body::Empty).map_err(|error| BenchError::Failed(error.to_string()))
}
