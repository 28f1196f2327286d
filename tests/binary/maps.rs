//! Transform maps as an administrator handles them.

mod changing;
mod keeping;
mod previewing;

use crate::runner::{Ended, Runner};
use cortex_xdr_simulator::Options;

/// A tenant `acme` with a connection `xdr` that has read nothing yet.
async fn tenant(flags: &[&str]) -> Runner {
    let runner = Runner::new(Options {
        endpoints: 40,
        alerts: 40,
        cves: 10,
        ..Options::default()
    })
    .await;
    let flags = [&["--skip-test"], flags].concat();
    runner
        .connect_with(serde_json::json!({}), &flags)
        .await
        .succeeded();
    runner
}

/// Runs `maps ...` for the tenant.
async fn maps(runner: &Runner, arguments: &[&str]) -> Ended {
    let arguments = [&["maps"], arguments, &["--tenant", "acme"]].concat();
    runner.run(&arguments).await
}
