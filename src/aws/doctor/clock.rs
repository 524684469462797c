//! This machine's clock beside AWS's.

use aws_config::SdkConfig;

use crate::aws::error::translate;
use crate::aws::watch::Watch;
use crate::failure::{Failure, Kind};

/// By how many seconds this machine is ahead, read off a call's response.
pub(super) async fn ahead(config: &SdkConfig) -> Result<i64, Failure> {
    let watch = Watch::default();
    let client = aws_sdk_sts::Client::new(config);
    let asked = client.get_caller_identity().customize().interceptor(watch.clone());
    let answer = asked.send().await;
    let ahead = watch.times().map(|(theirs, ours)| ours - theirs);
    ahead.ok_or_else(|| match answer {
        Ok(_) => Failure::new(Kind::Settled, "AWS's answer does not tell the time")
            .help("run the same command again; a proxy in between may drop the header `Date`"),
        Err(error) => translate("asking AWS what time it is", None, &error),
    })
}
