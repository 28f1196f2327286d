//! Serves a tenant until stdin closes or Ctrl-C. The first line on stdout is a JSON object with `url`, `apiKeyId`, `apiKey` and
//! `securityLevel`.
//!
//! Arguments: `[endpoints [alerts [cves [seed]]]]`.

use std::net::SocketAddr;

use cortex_xdr_simulator::{Options, Simulator};
use tokio::sync::oneshot;

fn number(at: usize, default: usize) -> Result<usize, String> {
    match std::env::args().nth(at) {
        Some(text) => text
            .parse()
            .map_err(|_| format!("argument {at} must be a number, not {text}")),
        None => Ok(default),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options {
        endpoints: number(1, 1_000)?,
        alerts: number(2, 1_000)?,
        cves: number(3, 200)?,
        seed: number(4, 1)? as u64,
        ..Options::default()
    };
    let simulator = Simulator::start(options, SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let hello = serde_json::json!({
        "url": simulator.url(),
        "apiKeyId": simulator.api_key_id(),
        "apiKey": simulator.api_key(),
        "securityLevel": simulator.security_level().as_str(),
    });
    println!("{hello}");
    // A read of stdin cannot be cancelled, so it has a thread that ends with the process.
    let (closed, stdin_closed) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = closed.send(());
    });
    tokio::select! {
        _ = stdin_closed => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    simulator.shutdown().await;
    Ok(())
}
