//! The Beak's ports on AWS: DynamoDB, Cognito, SES, KMS, and Cloudflare's Turnstile.

mod alarms;
mod asked;
mod captcha;
mod client_secret;
mod dynamo;
mod events;
mod failure;
mod identity;
mod mailer;
mod parameters;
mod patience;
pub mod settings;
mod shield;
mod signed;
mod signer;
#[cfg(test)]
mod tests;
mod tokens;
mod web;

use std::sync::Arc;

use aws_config::{BehaviorVersion, SdkConfig};
use axum::Router;
use axum::body::Body;
use beak_api::jws::Jws;
use beak_api::system::{SystemClock, SystemEntropy};
use beak_api::{ClientAddress, RequestId};
use beak_core::lease::Leases;
use beak_core::ports::{Accounts, Clock as _, Entropy, Feedback, Journals, SignIns, Store};
use beak_core::{GALAXY_VERSION, Galaxy, Ports};
use lambda_http::Request;
use lambda_http::http::{Response, Uri};
use lambda_http::request::RequestContext;
use tower::ServiceExt as _;

use crate::dynamo::DynamoStore;
use crate::settings::Settings;
use crate::shield::Shield;

/// Longer than Cognito takes to make an account and mail a code, in all but rare cases.
const ANSWER_STEP: beak_core::Duration = beak_core::Duration::SECOND;

/// The Beak for Lambda: calls through the gateway, and what the event bus tells.
#[derive(Clone)]
pub struct Beak {
    router: Router,
    galaxy: Arc<Galaxy>,
    prefix: Arc<str>,
    feedback: Arc<dyn Feedback>,
    sets: Arc<[String; 2]>,
    shield: Option<Arc<Shield>>,
}

impl Beak {
    fn new(ports: Ports, settings: &Settings, galaxy: beak_core::Settings) -> Self {
        let feedback = Arc::clone(&ports.feedback);
        let sets = Arc::new(events::sets(&settings.prefix));
        let galaxy = Arc::new(Galaxy::new(ports, galaxy));
        let router = beak_api::router_within(Arc::clone(&galaxy), patience::ANSWER_WITHIN);
        let prefix = settings.prefix.as_str();
        Self { router, galaxy, prefix: prefix.into(), feedback, sets, shield: None }
    }

    /// Answers a call, or takes an event. An event that could not be written down is an error, so
    /// that the bus tells it again.
    pub async fn take(self, request: Request) -> Result<Response<Body>, lambda_http::Error> {
        // Set by the runtime alone, for what did not come through a gateway: nothing that a caller
        // can put into a request makes an event of it.
        if let Some(RequestContext::PassThrough) = request.extensions().get() {
            if events::is_sweep(request.body(), &self.prefix) {
                events::sweep(&self.galaxy).await?;
                return Ok(Response::new(Body::empty()));
            }
            let now = SystemClock.now();
            events::take(self.feedback.as_ref(), &*self.sets, request.body(), now).await?;
            return Ok(Response::new(Body::empty()));
        }
        let mut request = accept(request);
        if let Some(shield) = &self.shield {
            shield.mark(&mut request).await;
        }
        match self.router.oneshot(request).await {
            Ok(answer) => Ok(answer),
            Err(never) => match never {},
        }
    }
}

/// The Beak of this function. Makes the clients and asks AWS nothing: what a call does not need is
/// not waited for at a cold start.
#[expect(clippy::disallowed_methods, reason = "CloudFormation and Lambda set it")]
pub async fn service(settings: &Settings) -> Beak {
    let config = aws_config::defaults(BehaviorVersion::latest()).load().await;
    let galaxy = beak_core::Settings {
        issuer: settings.issuer.clone(),
        version: GALAXY_VERSION.into(),
        release: settings.release.clone(),
        // Lambda says it itself.
        function_version: std::env::var("AWS_LAMBDA_FUNCTION_VERSION").ok(),
        peck_lifetime: settings.peck_lifetime,
        answer_step: ANSWER_STEP,
        operators_need_factor: settings.operators_need_factor,
    };
    let config = patience::patient(&config);
    let shield = || {
        let aws = signed::Signed::new(Arc::default(), &config);
        Arc::new(Shield::new(Arc::new(aws), &settings.prefix))
    };
    let shield = settings.shield.then(shield);
    Beak { shield, ..Beak::new(ports(&config, settings), settings, galaxy) }
}

/// The adapters over one configuration of the SDK.
fn ports(config: &SdkConfig, settings: &Settings) -> Ports {
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let dynamo = aws_sdk_dynamodb::Client::from_conf(patience::dynamodb(config));
    let store = DynamoStore::new(dynamo, settings.prefix.clone(), Arc::clone(&entropy));
    let signer = signer::KmsSigner::new(config, settings.certificate_key.clone());
    let (store, web) = (Arc::new(store), Arc::new(web::Web::default()));
    let aws = signed::Signed::new(Arc::clone(&web), config);
    let secret = client_secret::ClientSecret::new(Arc::new(aws.clone()), config, settings);
    let secret = Arc::new(secret);
    Ports {
        store: Arc::clone(&store) as Arc<dyn Store>,
        identity: Arc::new(identity::Cognito::new(config, settings, Arc::clone(&secret))),
        sealing: secret,
        sign_ins: Arc::clone(&store) as Arc<dyn SignIns>,
        authority: Arc::new(Jws::new(Arc::new(signer), Arc::clone(&store) as Arc<dyn Store>)),
        journals: Arc::clone(&store) as Arc<dyn Journals>,
        accounts: Arc::clone(&store) as Arc<dyn Accounts>,
        feedback: Arc::clone(&store) as Arc<dyn Feedback>,
        alarms: Some(Arc::new(alarms::CloudWatch::new(aws.clone(), &settings.prefix))),
        limits: Some(Arc::new(Leases::new(store))),
        captcha: Some(Arc::new(captcha::Turnstile::new(web, aws, &settings.prefix))),
        mailer: Arc::new(mailer::Ses::new(config, settings)),
        clock: Arc::new(SystemClock),
        entropy,
    }
}

/// Takes over what the gateway vouches for: the request's id, the caller's address, and the stage,
/// which HTTP APIs with a named stage put in front of the path.
fn accept(mut request: Request) -> Request {
    let Some(RequestContext::ApiGatewayV2(context)) = request.extensions().get().cloned() else {
        return request;
    };
    if let Some(id) = context.request_id {
        request.extensions_mut().insert(RequestId(id));
    }
    let address = context.http.source_ip.and_then(|address| address.parse().ok());
    if let Some(address) = address {
        request.extensions_mut().insert(ClientAddress(address));
    }
    if let Some(uri) = context.stage.and_then(|stage| without_stage(request.uri(), &stage)) {
        *request.uri_mut() = uri;
    }
    request
}

fn without_stage(uri: &Uri, stage: &str) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().strip_prefix('/')?.strip_prefix(stage)?;
    let rest = Some(rest).filter(|rest| rest.starts_with('/'))?;
    rest.parse().ok()
}
