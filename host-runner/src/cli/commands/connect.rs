//! `connect` and `update`: setting connections up and changing them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::{remaking, stop, sync, what_if};
use crate::cli::args::{ConnectArgs, OnOff, UpdateArgs};
use crate::cli::context::{Context, read_config, read_secrets};
use crate::cli::exit::Exit;
use crate::cli::failure::CommandResult;
use crate::cli::human;
use crate::cli::output::Output;
use crate::cli::progress::Line;
use crate::cli::view::{self, connection, report};
use crate::cli::way_out;
use crate::connection::{
    self as service, Completed, ConnectRequest, MapChoice, Onlooker, TypedConfig, UpdateRequest,
    WayOut,
};
use crate::contract::connector::Check;
use crate::domain::{Clock, SystemClock};
use crate::pipeline::{Cancel, Observer, RemakeReport};
use crate::store::{Connection, Tested};

/// Tells each stage as it is reached: the origin is shown before anything is sent to it.
pub struct Telling {
    output: Arc<Output>,
    line: Arc<Line>,
    cancel: Cancel,
}

impl Telling {
    /// To this output.
    pub fn new(output: Arc<Output>) -> Self {
        Self {
            line: Line::new(&output),
            cancel: Cancel::new(),
            output,
        }
    }

    fn tell(&self, text: &str) {
        if self.output.json() {
            return;
        }
        // What can't be written is noticed by whoever ends the command.
        let _ = self.output.line(text);
        let _ = self.output.flush();
    }
}

impl Onlooker for Telling {
    fn completed(&self, completed: &Completed, maps: &MapChoice, way_out: &WayOut) {
        let origins: Vec<String> = completed
            .origin_texts()
            .into_iter()
            .map(|(_, origin)| origin)
            .collect();
        self.tell(&format!(
            "requests go to {}; data streams: {}; target: {}",
            human::plain(&human::list(&origins)),
            human::list(&completed.data_streams),
            human::plain(&maps.target),
        ));
        let cautions: BTreeMap<&str, String> = maps
            .maps
            .values()
            .filter_map(|map| Some((map.name.as_str(), map.caution()?)))
            .collect();
        for (map, caution) in cautions {
            self.tell(&format!(
                "caution: {}: {}",
                human::plain(map),
                human::plain(&caution)
            ));
        }
        for line in view::way_out::before(way_out, SystemClock.now()) {
            self.tell(&format!("  {}", human::plain(&line)));
        }
        for warning in &completed.warnings {
            self.tell(&format!(
                "warning: {}: {}",
                human::plain(&warning.pointer),
                human::plain(&warning.message)
            ));
        }
    }

    fn tested(&self, checks: &[Check]) {
        self.tell(&report::text(checks, self.output.style().colour));
    }

    fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&self.line) as _
    }

    fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }
}

/// Runs `connect`.
pub async fn connect(context: &Context, args: &ConnectArgs) -> CommandResult {
    let secrets = read_secrets(&args.settings.secrets, Some(&args.config))?;
    let way_out = way_out::read(&args.settings, Some(&args.config), context.now())?;
    let config = read_config(&args.config)?;
    let desk = context.desk(&args.pace).await?;
    let typed = TypedConfig::new(config, secrets, &desk.plugin.manifest().secret_fields())?;
    let request = ConnectRequest {
        tenant: args.tenant.clone(),
        name: args.name.clone(),
        description: args.settings.description.clone(),
        typed,
        maps: args.settings.maps.clone(),
        allow_loopback: args.settings.allow_loopback,
        leave_out_users: args.settings.leave_out_users.is_some_and(OnOff::is_on),
        skip_test: args.settings.skip_test,
        rate: args.pace.rate(),
        way_out,
    };
    let saved =
        service::connect(&desk, request, &Telling::new(Arc::clone(&context.output))).await?;
    tell(context, &saved, &args.tenant, "connected", &[])
}

/// Runs `update`.
pub async fn update(context: &Context, args: &UpdateArgs) -> CommandResult {
    let secrets = read_secrets(&args.settings.secrets, args.config.as_ref())?;
    let way_out = way_out::read(&args.settings, args.config.as_ref(), context.now())?;
    let config = args.config.as_ref().map(read_config).transpose()?;
    let desk = context.desk(&args.pace).await?;
    let request = UpdateRequest {
        tenant: args.connection.tenant.clone(),
        name: args.connection.name.clone(),
        config,
        secrets,
        description: args.settings.description.clone(),
        maps: args.settings.maps.clone(),
        allow_loopback: args.settings.allow_loopback,
        leave_out_users: args.settings.leave_out_users.map(OnOff::is_on),
        skip_test: args.settings.skip_test,
        upgrade: args.upgrade,
        accept_reach: args.accept_reach,
        rate: args.pace.rate(),
        way_out,
    };
    let telling = Telling::new(Arc::clone(&context.output));
    let _listening = stop::on_signal(&telling.cancel, &context.output);
    if args.what_if {
        let told = what_if::run(context, args, &desk, &request, &telling).await;
        telling.line.clear();
        return told;
    }
    let updated = service::update(&desk, request, &telling).await?;
    telling.line.clear();
    let tenant = &args.connection.tenant;
    let (reports, failure) = match updated.remade {
        Ok(reports) => {
            let failure = remaking::failure(&reports);
            (reports, failure)
        }
        Err(error) => (Vec::new(), Some(sync::explained(error))),
    };
    let told = tell(context, &updated.connection, tenant, "updated", &reports)?;
    match failure {
        None => Ok(told),
        Some(mut failure) => {
            failure.message = format!("the change is saved; {}", failure.message);
            Err(failure)
        }
    }
}

fn tell(
    context: &Context,
    saved: &Connection,
    tenant: &crate::domain::TenantName,
    done: &str,
    remade: &[RemakeReport],
) -> CommandResult {
    let output = &context.output;
    if output.json() {
        output.document(&json!({
            "connection": connection::document(saved, tenant),
            "remade": remaking::document(remade),
        }))?;
        return Ok(Exit::Success);
    }
    let tested = match &saved.tested {
        Tested::Passed { .. } => "tested".to_owned(),
        Tested::Untested { reason } => format!("untested: {reason}"),
    };
    output.line(format!(
        "{done}: {} of tenant {tenant} ({})",
        saved.name,
        human::plain(&tested)
    ))?;
    remaking::tell(context, remade)?;
    output.note(format!(
        "next: host-runner sync {} --tenant {tenant}",
        saved.name
    ));
    Ok(Exit::Success)
}
