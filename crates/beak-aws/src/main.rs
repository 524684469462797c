//! `bootstrap`: the Beak as a Lambda function on `provided.al2023`.

use beak_aws::settings::Settings;
use lambda_http::{Error, service_fn};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "CloudFormation and Lambda set it")]
async fn main() -> Result<(), Error> {
    // CloudWatch adds the time; JSON, so that Logs Insights finds every field by its name.
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .without_time()
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(tracing::Level::INFO)
        .init();
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    let beak = beak_aws::service(&settings).await;
    lambda_http::run(service_fn(move |request| beak.clone().take(request))).await
}
