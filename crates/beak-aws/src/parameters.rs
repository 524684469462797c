//! Values from Parameter Store.

use async_trait::async_trait;
use beak_core::{BeakError, Result};
use serde::Deserialize;

use crate::signed::{Operation, Signed};

const GET_PARAMETER: Operation = Operation {
    service: "ssm",
    media_type: "application/x-amz-json-1.1",
    target: "AmazonSSM.GetParameter",
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    parameter: Parameter,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    value: String,
}

/// Where values are read from.
#[async_trait]
pub(crate) trait Parameters: Send + Sync {
    /// The value under a name, decrypted; `None` where there is no such parameter.
    async fn parameter(&self, name: &str) -> Result<Option<String>>;
}

#[async_trait]
impl Parameters for Signed {
    async fn parameter(&self, name: &str) -> Result<Option<String>> {
        let failed = |what: &str| BeakError::Unavailable(format!("reading {name}: {what}"));
        let question = serde_json::json!({"Name": name, "WithDecryption": true});
        match self.ask(&GET_PARAMETER, &question).await? {
            Ok(answer) => serde_json::from_slice::<Found>(&answer)
                .map(|found| Some(found.parameter.value))
                .map_err(|_| failed("not understood")),
            Err(code) if code == "ParameterNotFound" => Ok(None),
            Err(code) => Err(failed(&code)),
        }
    }
}
