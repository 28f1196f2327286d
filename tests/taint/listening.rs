//! All that this process says: every line of every crate at its most verbose, and every panic.

use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};
use tracing_subscriber::fmt::format::FmtSpan;

static HEARD: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Begins to listen, once. Nothing is filtered: the runner's own filter is for the runner's own users.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(|| Ear)
            .init();
        // What speaks through `log` and not through `tracing`.
        log::set_logger(&Ear).expect("no other logger");
        log::set_max_level(log::LevelFilter::Trace);
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            hear(panic.to_string().as_bytes());
            usual(panic);
        }));
    });
}

/// All that was heard so far.
pub fn heard() -> Vec<u8> {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn hear(bytes: &[u8]) {
    HEARD
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .extend_from_slice(bytes);
}

struct Ear;

impl Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        hear(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The compiler, which never meets a key and tells gigabytes of its work.
const COMPILER: [&str; 3] = ["cranelift", "regalloc", "wasmtime_internal_cranelift"];

impl log::Log for Ear {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        !COMPILER
            .iter()
            .any(|name| metadata.target().starts_with(name))
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        hear(format!("{} {}\n", record.target(), record.args()).as_bytes());
    }

    fn flush(&self) {}
}
