//! `POST /manage/v1/sign-out`: the cookie is good for nothing from now on.

use http::header;
use lambda_http::{Body, Request, Response};
use shared::app::App;
use shared::auth::{Cookie, Role};
use shared::manage::{answer, gone, record};
use shared::people;

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer(app, request, Role::Viewer, async |manager| {
        people::sign_out(&manager.store, &manager.cookie).await?;
        record(&manager.person, "sign out", &[]);
        let mut response = gone();
        response.headers_mut().insert(header::SET_COOKIE, Cookie::to_forget(app.cookies())?);
        Ok(response)
    })
    .await
}
