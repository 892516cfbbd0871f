//! `POST /manage/v1/sign-in`: a link's token for a cookie, once.

use http::header;
use lambda_http::{Body, Request, Response};
use serde::Deserialize;
use shared::app::App;
use shared::auth::Cookie;
use shared::error::ApiError;
use shared::manage::{answer_anyone, body, found, record};
use shared::people::{self, Invitation};

const BAD_LINK: &str = "This link is wrong, was used or is too old. Ask for another one.";

#[derive(Deserialize)]
struct Token {
    token: String,
}

/// Answers a request.
pub async fn handle(app: &App, request: &Request) -> Response<Body> {
    answer_anyone(app, request, async |store, now| {
        let Token { token } = body(request)?;
        let invitation = Invitation::parse(&token).ok_or(ApiError::Unauthorized(BAD_LINK))?;
        let accepted = people::accept(store, &invitation, now).await?;
        let (cookie, person) = accepted.ok_or(ApiError::Unauthorized(BAD_LINK))?;
        record(&person, "sign in", &[]);
        // Nobody would hold the one before any more.
        if let Some(before) = Cookie::sent(request.headers(), app.cookies()) {
            people::sign_out(store, &before).await?;
        }
        let mut response = found(&person);
        response.headers_mut().insert(header::SET_COOKIE, cookie.to_keep(app.cookies())?);
        Ok(response)
    })
    .await
}
