//! The service's clock: every response carries it, even a refusal.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context as at;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;

/// Reads the `Date` header of a call's first response.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch(Arc<Mutex<Option<(i64, i64)>>>);

impl Watch {
    /// The service's time and this machine's, both in seconds since 1970.
    pub(super) fn times(&self) -> Option<(i64, i64)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
            #[expect(
                clippy::disallowed_methods,
                reason = "this compares the clock of this machine"
            )]
            let ours = time::OffsetDateTime::now_utc().unix_timestamp();
            let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // The first response: the SDK may correct later attempts by what it read here.
            times.get_or_insert((date.secs(), ours));
        }
        Ok(())
    }
}
