//! The state of this galaxy's `CloudWatch` alarms.
//!
//! Source: the service model of Amazon `CloudWatch`.

use async_trait::async_trait;
use beak_core::ports::{Alarm, AlarmState, Alarms};
use beak_core::{BeakError, OffsetDateTime, Result};
use serde::Deserialize;

use crate::signed::{Operation, Signed};

/// The alarms of `templates/api.yaml` and `templates/mail.yaml`, named there behind the galaxy's
/// name; a test holds this to them.
pub(crate) const NAMES: [&str; 6] = [
    "Api5xxAlarm",
    "ErrorsAlarm",
    "ThrottlesAlarm",
    "DeadLettersAlarm",
    "BounceRateAlarm",
    "ComplaintRateAlarm",
];

pub(crate) const DESCRIBE_ALARMS: Operation = Operation {
    service: "monitoring",
    media_type: "application/x-amz-json-1.0",
    target: "GraniteServiceVersion20100801.DescribeAlarms",
};

pub(crate) struct CloudWatch {
    aws: Signed,
    prefix: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    metric_alarms: Vec<MetricAlarm>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricAlarm {
    alarm_name: String,
    state_value: String,
    /// Seconds since 1970.
    state_updated_timestamp: Option<f64>,
}

impl CloudWatch {
    pub(crate) fn new(aws: Signed, prefix: &str) -> Self {
        Self { aws, prefix: prefix.to_owned() }
    }

    fn full(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    fn alarm(&self, name: &str, answer: &Answer) -> Alarm {
        let full = self.full(name);
        let found = answer.metric_alarms.iter().find(|alarm| alarm.alarm_name == full);
        let state = found.map_or(AlarmState::Missing, |alarm| match alarm.state_value.as_str() {
            "OK" => AlarmState::Ok,
            "ALARM" => AlarmState::Alarm,
            _ => AlarmState::Unknown,
        });
        let since = found.and_then(|alarm| alarm.state_updated_timestamp).and_then(moment);
        Alarm { name: name.to_owned(), state, since }
    }
}

fn moment(seconds: f64) -> Option<OffsetDateTime> {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and is checked")]
    let seconds = seconds as i64;
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

#[async_trait]
impl Alarms for CloudWatch {
    async fn alarms(&self) -> Result<Vec<Alarm>> {
        let question = serde_json::json!({"AlarmNames": NAMES.map(|name| self.full(name))});
        let unavailable = |what: &str| BeakError::Unavailable(format!("asking for alarms: {what}"));
        let answer = self.aws.ask(&DESCRIBE_ALARMS, &question).await?;
        let answer = answer.map_err(|code| unavailable(&code))?;
        let answer: Answer =
            serde_json::from_slice(&answer).map_err(|_| unavailable("not understood"))?;
        Ok(NAMES.into_iter().map(|name| self.alarm(name, &answer)).collect())
    }
}
