//! What a component logs goes where the runner's own lines go, marked as the component's.

use crate::imports::{LogLine, LogSink};

/// Hands a component's lines to `tracing`, under the target `host_runner::connector`.
#[derive(Debug, Clone)]
pub struct TracingLog {
    connection: String,
}

impl TracingLog {
    /// For lines about this connection.
    pub fn new(connection: impl Into<String>) -> Self {
        Self {
            connection: connection.into(),
        }
    }
}

impl LogSink for TracingLog {
    fn write(&self, line: LogLine) {
        let fields: Vec<String> = line
            .fields
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let (connection, fields) = (self.connection.as_str(), fields.join(" "));
        macro_rules! at {
            ($level:expr) => {
                tracing::event!(target: "host_runner::connector", $level, connection, fields, "{}", line.message)
            };
        }
        match line.level {
            tracing::Level::ERROR => at!(tracing::Level::ERROR),
            tracing::Level::WARN => at!(tracing::Level::WARN),
            tracing::Level::INFO => at!(tracing::Level::INFO),
            _ => at!(tracing::Level::DEBUG),
        }
    }
}
