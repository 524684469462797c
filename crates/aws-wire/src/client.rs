//! The client of a service: sends calls, reads answers.

use std::fmt;

use aws_smithy_json::protocol::aws_json_rpc::AwsJsonRpcProtocol;
use aws_smithy_runtime::client::orchestrator::invoke;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{Error, Input, Output};
use aws_smithy_runtime_api::client::orchestrator::{
    HttpRequest, HttpResponse, Metadata, OrchestratorError,
};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::{RuntimePlugins, StaticRuntimePlugin};
use aws_smithy_runtime_api::client::ser_de::{
    DeserializeResponse, SerializeRequest, SharedRequestSerializer, SharedResponseDeserializer,
};
use aws_smithy_schema::protocol::ClientProtocol as _;
use aws_smithy_types::config_bag::{ConfigBag, Layer};
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_xml::protocol::aws_rest_xml::AwsRestXmlProtocol;
use aws_types::SdkConfig;
use aws_types::request_id::apply_request_id;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::call::Call;
use crate::parts::parts;
use crate::services::{Protocol, Service};
use crate::xml::Element;

/// Why a call failed: as of any client of the SDK, with code and message in the metadata.
pub type Refused = SdkError<ErrorMetadata, HttpResponse>;

/// A service's client.
#[derive(Clone, Debug)]
pub struct Client {
    service: &'static Service,
    parts: RuntimePlugins,
}

impl Client {
    /// A client with the settings that all clients share.
    #[must_use]
    pub fn new(service: &'static Service, config: &SdkConfig) -> Self {
        Self { service, parts: parts(service, config) }
    }

    /// The same client with something that looks at each of its calls.
    #[must_use]
    pub fn watched(&self, by: impl Intercept + 'static) -> Self {
        let parts = RuntimeComponentsBuilder::new("watched").with_interceptor(by);
        let plugin = StaticRuntimePlugin::new().with_runtime_components(parts);
        Self { service: self.service, parts: self.parts.clone().with_operation_plugin(plugin) }
    }

    /// Makes a call that is answered in JSON.
    pub async fn ask<T>(&self, call: Call) -> Result<T, Refused>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        self.send(call, json).await
    }

    /// Makes a call that is answered in XML. Where the answer to a form has a frame around its
    /// result, it is the result.
    pub async fn read(&self, call: Call) -> Result<Element, Refused> {
        let frame = match self.service.protocol {
            Protocol::Query(_) => Some(format!("{}Result", call.operation)),
            _ => None,
        };
        let answer = self.send(call, |response| Element::parse(body(response))).await?;
        let result = frame.and_then(|frame| answer.at(&frame).cloned());
        Ok(result.unwrap_or(answer))
    }

    /// Makes a call whose answer says no more than that it was done.
    pub async fn tell(&self, call: Call) -> Result<(), Refused> {
        if matches!(self.service.protocol, Protocol::Json(_) | Protocol::RestJson) {
            return self.ask::<Value>(call).await.map(|_| ());
        }
        self.read(call).await.map(|_| ())
    }

    /// Makes a call that is answered with bytes, of which this reads what it needs.
    pub async fn bytes<T>(&self, call: Call, read: fn(&HttpResponse) -> T) -> Result<T, Refused>
    where
        T: Send + Sync + 'static,
    {
        self.send(call, move |response| Ok(read(response))).await
    }

    async fn send<T>(
        &self,
        call: Call,
        read: impl Fn(&HttpResponse) -> Result<T, BoxError> + Send + Sync + 'static,
    ) -> Result<T, Refused>
    where
        T: Send + Sync + 'static,
    {
        let (service, operation) = (self.service, call.operation);
        let mut layer = Layer::new(operation);
        layer.store_put(SharedRequestSerializer::new(Writer(service)));
        layer.store_put(SharedResponseDeserializer::new(Reader { service, read }));
        layer.store_put(Metadata::new(operation, service.id));
        let plugin = StaticRuntimePlugin::new().with_config(layer.freeze());
        let parts = self.parts.clone().with_operation_plugin(plugin);
        let said = invoke(service.id, operation, Input::erase(call), &parts).await;
        let refused = |error: Error| match error.downcast::<ErrorMetadata>() {
            Ok(metadata) => metadata,
            Err(_) => ErrorMetadata::builder().build(),
        };
        let answer = said.map_err(|error| error.map_service_error(refused))?;
        let unread = |_| SdkError::construction_failure("the answer has another type");
        answer.downcast::<Opaque<T>>().map(|answer| answer.0).map_err(unread)
    }
}

fn body(response: &HttpResponse) -> &[u8] {
    response.body().bytes().unwrap_or_default()
}

fn json<T: DeserializeOwned>(response: &HttpResponse) -> Result<T, BoxError> {
    let body = body(response);
    // Some say nothing at all when something was done.
    let body = if body.is_empty() { b"{}" } else { body };
    let mut answer: Value = serde_json::from_slice(body)?;
    without_nulls(&mut answer);
    Ok(serde_json::from_value(answer)?)
}

/// Takes fields away that are `null`: to AWS they are the same as missing ones.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(values) => values.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// An answer that does not print: there are secrets among them.
struct Opaque<T>(T);

impl<T> fmt::Debug for Opaque<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer")
    }
}

#[derive(Debug)]
struct Writer(&'static Service);

impl SerializeRequest for Writer {
    fn serialize_input(&self, input: Input, _: &mut ConfigBag) -> Result<HttpRequest, BoxError> {
        let call = input.downcast::<Call>().map_err(|_| "the input is no call")?;
        call.request(self.0)
    }
}

struct Reader<R> {
    service: &'static Service,
    read: R,
}

impl<R> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reader({})", self.service.id)
    }
}

impl<T, R> DeserializeResponse for Reader<R>
where
    T: Send + Sync + 'static,
    R: Fn(&HttpResponse) -> Result<T, BoxError> + Send + Sync,
{
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        bag: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        if response.status().is_success() {
            let answer = (self.read)(response).map_err(OrchestratorError::other)?;
            return Ok(Output::erase(Opaque(answer)));
        }
        let metadata = match self.service.protocol {
            Protocol::Json(_) | Protocol::RestJson => {
                AwsJsonRpcProtocol::aws_json_1_1().parse_error_metadata(response, bag)
            }
            Protocol::Query(_) | Protocol::RestXml => {
                AwsRestXmlProtocol::new().parse_error_metadata(response, bag)
            }
        };
        let metadata = metadata.map_err(OrchestratorError::other)?;
        let metadata = apply_request_id(metadata, response.headers()).build();
        if metadata.code().is_none() {
            return Err(OrchestratorError::other(metadata));
        }
        Err(OrchestratorError::operation(Error::erase(metadata)))
    }
}
