//! The completed configuration: every field written out in its one form.

use super::document::{
    ALERT_SOURCES, ALERT_STATUSES, API_KEY_ID, AUTO_ONBOARD_ASSETS, BASE_URL, DATA_STREAMS,
    ENDPOINT_STATUSES, ENDPOINT_SWEEP_HOURS, FULL_SYNC_EVERY_DAYS, SECURITY_LEVEL, TAGS,
    UPDATE_EXISTING_ASSETS, XQL_DAILY_SHARE,
};
use super::{AlertStatus, DataStream, SecurityLevel, Settings};
use crate::contract::Policy;
use crate::json_text::json_text;
use serde_json::{Map, Value, json};

impl Settings {
    /// The configuration that gives exactly these settings: canonical, so that equal settings are equal bytes.
    pub fn to_config(&self) -> Vec<u8> {
        let mut fields = Map::new();
        let mut put = |field: super::document::Field, value: Value| {
            fields.insert(field.name.to_owned(), value);
        };
        put(BASE_URL, json!(self.origin));
        put(API_KEY_ID, json!(self.api_key_id));
        put(
            SECURITY_LEVEL,
            json!(SecurityLevel::name(self.security_level)),
        );
        put(DATA_STREAMS, names(&self.data_streams, DataStream::name));
        put(TAGS, json!(self.tags));
        put(ALERT_SOURCES, json!(self.alert_sources));
        put(
            ALERT_STATUSES,
            names(&self.alert_statuses, AlertStatus::name),
        );
        put(ENDPOINT_STATUSES, json!(self.endpoint_statuses));
        if let Some(flag) = self.update_existing_assets {
            put(UPDATE_EXISTING_ASSETS, json!(flag));
        }
        if let Some(flag) = self.auto_onboard_assets {
            put(AUTO_ONBOARD_ASSETS, json!(flag));
        }
        put(FULL_SYNC_EVERY_DAYS, json!(self.full_sync_every_days));
        put(ENDPOINT_SWEEP_HOURS, json!(self.endpoint_sweep_hours));
        put(XQL_DAILY_SHARE, json!(self.xql_daily_share));
        json_text(&Value::Object(fields)).into_bytes()
    }

    /// All that narrows what a data stream reads, as canonical JSON text: equal as long as the same records are in scope.
    /// Tags narrow endpoints and what is read per endpoint; alerts are narrowed by source and status only.
    pub fn scope(&self, data_stream: DataStream) -> String {
        let scope = match data_stream {
            DataStream::Endpoints | DataStream::Vulnerabilities => json!({
                "endpointStatuses": self.endpoint_statuses,
                "tags": self.tags,
            }),
            DataStream::Alerts => json!({
                "alertSources": self.alert_sources,
                "alertStatuses": names(&self.alert_statuses, AlertStatus::name),
            }),
        };
        json_text(&scope)
    }

    /// What the user wants the platform to do with what is read.
    pub fn policy(&self) -> Policy {
        Policy {
            update_existing_assets: self.update_existing_assets,
            auto_onboard_assets: self.auto_onboard_assets,
            full_sync_every_days: Some(self.full_sync_every_days),
        }
    }
}

fn names<'a, T: Copy + 'a>(
    chosen: impl IntoIterator<Item = &'a T>,
    name: fn(T) -> &'static str,
) -> Value {
    chosen
        .into_iter()
        .map(|one| Value::from(name(*one)))
        .collect()
}
