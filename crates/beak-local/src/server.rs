//! One port for everything: which name was asked for decides who answers.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Json, Response};
use beak_api::ClientAddress;
use tower::ServiceExt as _;

use crate::error::LocalError;
use crate::outbox::{self, Outbox};
use crate::own::Watch;
use crate::pages;
use crate::sites::Sites;

/// Everything that answers.
pub(crate) struct Home {
    pub(crate) port: u16,
    pub(crate) beak: Router,
    pub(crate) sites: Sites,
    pub(crate) own: Option<Watch>,
    pub(crate) outbox: Outbox,
}

/// The service for both listeners.
pub(crate) fn service(home: Arc<Home>) -> Router {
    Router::new().fallback(answer).with_state(home)
}

async fn answer(
    State(home): State<Arc<Home>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Response {
    let host = host(&request);
    match host.as_deref() {
        Some("localhost" | "127.0.0.1" | "[::1]") => {
            if request.uri().path().starts_with("/beak/") {
                request.extensions_mut().insert(ClientAddress(from.ip()));
                return match home.beak.clone().oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                };
            }
            own(&home, &request)
        }
        Some(name) => {
            if let Some(own) = &home.own {
                own.look(&home.sites).await;
            }
            let site = name.strip_suffix(".localhost").unwrap_or_default();
            let (method, path) = (request.method(), request.uri().path());
            let answer = home.sites.answer(site, method, path, request.headers());
            // Any other name is somebody's DNS pointing here, to get at the galaxy through a
            // visitor's browser (DNS rebinding).
            answer.unwrap_or_else(|| {
                let text = format!("there is no site `{name}` here; see http://localhost/\n");
                (StatusCode::MISDIRECTED_REQUEST, text).into_response()
            })
        }
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// The name that was asked for, without the port.
fn host(request: &Request) -> Option<String> {
    let value = request.headers().get(header::HOST)?.to_str().ok()?;
    let name = match value.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => value,
    };
    Some(name.to_ascii_lowercase())
}

fn own(home: &Home, request: &Request) -> Response {
    let mails = || home.outbox.list();
    let broken = || StatusCode::SERVICE_UNAVAILABLE.into_response();
    let path = request.uri().path();
    let mut response = match path {
        "/" => Html(pages::home(home.port)).into_response(),
        "/outbox" => mails().map_or_else(|_| broken(), |m| Html(outbox::page(&m)).into_response()),
        "/outbox.json" => mails().map_or_else(|_| broken(), |m| Json(m).into_response()),
        _ => {
            // Style and mark are the sites' own.
            let shared = if path.starts_with("/shared/") { path } else { "/404.html" };
            let (method, headers) = (request.method(), request.headers());
            let site = galaxy_sites::Site::ALL[0].name();
            let file = home.sites.answer(site, method, shared, headers);
            let mut file = file.unwrap_or_else(|| StatusCode::NOT_FOUND.into_response());
            if !path.starts_with("/shared/") {
                *file.status_mut() = StatusCode::NOT_FOUND;
            }
            file
        }
    };
    let no_store = axum::http::HeaderValue::from_static("no-store");
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(no_store);
    home.sites.protect(&mut response);
    response
}

/// Listens on this machine only: at both addresses that `localhost` may mean.
pub(crate) fn listen(port: u16) -> Result<Vec<TcpListener>, LocalError> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AddrInUse => LocalError::PortTaken(port),
        _ => LocalError::Port(port, error.to_string()),
    };
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(failed)?;
    let chosen = first.local_addr().map_err(failed)?.port();
    let mut listeners = vec![first];
    match TcpListener::bind((Ipv6Addr::LOCALHOST, chosen)) {
        Ok(second) => listeners.push(second),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => return Err(failed(error)),
        // A machine without IPv6.
        Err(_) => {}
    }
    for listener in &listeners {
        listener.set_nonblocking(true).map_err(failed)?;
    }
    Ok(listeners)
}
