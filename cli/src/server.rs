//! The HTTP server of the local stack: each route is answered by the handler that Lambda runs.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use collect::Collector;
use collect::limits::MAX_BODY;
use futures::FutureExt;
use lambda_http::{Body, Request, Response};
use shared::app::{App, ClientAddress};
use shared::error::ApiError;
use shared::routes;
use tokio::sync::Semaphore;

use crate::demo_site::DemoSite;
use crate::http::Responder;

/// Requests that read and are answered at the same time; the others wait. More would be no faster on one machine, and
/// each takes memory for what it reads. Batches take none to speak of, and the more wait, the more are stored together.
const AT_ONCE: usize = 16;

/// What answers requests: each route by its own function.
pub struct Functions {
    app: Arc<App>,
    collector: Collector,
    demo_site: Option<DemoSite>,
    turns: Semaphore,
}

impl std::fmt::Debug for Functions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Functions").finish_non_exhaustive()
    }
}

impl Functions {
    /// What one instance of each function would be, with a memory that they share.
    pub fn new(app: Arc<App>) -> Self {
        Functions { collector: Collector::new(app.clone()), app, demo_site: None, turns: Semaphore::new(AT_ONCE) }
    }

    /// With a site to try the tracker on, which is no function.
    pub fn with(self, demo_site: DemoSite) -> Self {
        Functions { demo_site: Some(demo_site), ..self }
    }

    /// Answers a request.
    pub async fn answer(&self, request: &Request) -> Response<Body> {
        let app = &self.app;
        if let Some(site) = &self.demo_site
            && let Some(response) = site.answer(request).await
        {
            return response;
        }
        let route = routes::find(request.uri().path()).map(|(route, _)| route);
        let function = route.filter(|route| route.takes(request.method().as_str())).map(|route| route.function);
        let _turn = match function {
            Some("collect") => None,
            _ => self.turns.acquire().await.ok(),
        };
        match function {
            Some("collect") => Box::pin(collect::handle(&self.collector, request)).await,
            Some("openapi") => openapi::handle(request),
            Some("tracker") => tracker::handle(request),
            Some("dashboard") => dashboard::handle(request),
            Some(function) => known(app, function, request).await,
            None => not_found::handle(request),
        }
    }
}

/// Makes `known`, which has the function of a name answer, of the table of functions that know who asks.
macro_rules! known {
    ($($function:ident $name:literal $path:literal $answers:expr,)*) => {
        async fn known(app: &App, function: &str, request: &Request) -> Response<Body> {
            match function {
                // Each on the heap: else the stack holds what each of them may wait for.
                $($name => Box::pin($function::handle(app, request)).await,)*
                _ => not_found::handle(request),
            }
        }
    };
}
shared::endpoints!(known);

/// Whoever may reach it may ask: data is given to holders of a key alone, and taken from pages of any origin. So it
/// looks at no `Host` either, and a page on another name of this machine can be tried with it.
impl Responder for Functions {
    /// A byte more than the collector takes.
    const MAX_READ: usize = MAX_BODY + 1;

    async fn respond(&self, client: IpAddr, mut request: Request) -> Response<Body> {
        request.extensions_mut().insert(ClientAddress(client));
        let answer = AssertUnwindSafe(self.answer(&request)).catch_unwind().await;
        answer.unwrap_or_else(|_| ApiError::Internal("a handler panicked".to_owned()).into_response())
    }
}
