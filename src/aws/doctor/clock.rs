//! This machine's clock beside AWS's: every answer tells the time, even one that says no.

use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context as at;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;

use crate::failure::{Failure, Kind};

/// By how many seconds this machine is ahead.
#[derive(Clone, Debug, Default)]
struct Watch(Arc<Mutex<Option<i64>>>);

impl Intercept for Watch {
    fn name(&self) -> &'static str {
        "Watch"
    }

    fn read_before_deserialization(
        &self,
        context: &at::BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        if let Some(date) = date {
            let ours = time::OffsetDateTime::now_utc().unix_timestamp();
            let mut ahead = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // The first answer: a later one may have been corrected for what the first told.
            ahead.get_or_insert(ours - date.secs());
        }
        Ok(())
    }
}

/// Asks who we are, and reads the time off whatever comes back.
pub(super) async fn ahead(config: &SdkConfig) -> Result<i64, Failure> {
    let watch = Watch::default();
    let client = aws_sdk_sts::Client::new(config);
    let asked = client.get_caller_identity().customize().interceptor(watch.clone());
    let answer = asked.send().await;
    let ahead = *watch.0.lock().unwrap_or_else(PoisonError::into_inner);
    ahead.ok_or_else(|| match answer {
        Ok(_) => Failure::new(Kind::Settled, "AWS's answer does not tell the time"),
        Err(error) => crate::aws::error::translate("asking AWS what time it is", None, &error),
    })
}
