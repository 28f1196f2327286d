//! By what assets are known again.

use clap::{Args, Subcommand};

use crate::domain::TenantName;
use crate::identification::{RuleError, Rules};

/// What `identification` takes.
#[derive(Debug, Clone, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    about = "Show or change the rules by which a tenant's assets are identified",
    long_about = "Show or change the rules by which a record is known to be of an asset that the tenant holds already, from another connection or an \
        import. A record that its own connection linked to an asset before is known by its id alone, whatever the rules say.\n\nA rule is one of the \
        fields external-id, host-name, domain, mac and ip, or several of them with + between. The rules are tried in their order. A rule applies only \
        where the record has all of its fields, and matches only where exactly one asset fits: where several do, no lower rule is tried, and `assets \
        ambiguous` lists them. An asset that is inactive steps back behind one that is not. Two ids of one connection are never taken for one asset: \
        `assets duplicates` lists those that look like it.\n\nAlike are names in any case and with a dot at the end or the domain behind them, MAC addresses in any notation, \
        IP addresses in any spelling (IPv4 within IPv6 too). Nothing is identified by loopback, link-local, zero, multicast and broadcast addresses; by an address \
        with the length of a prefix, which is a network's; by addresses of containers and virtual adapters (MAC addresses of Docker, Kubernetes pods, VirtualBox and VMware \
        host-only networks and VPN clients; IP addresses of Docker's bridges, 172.17.0.0/16 and 172.18.0.1 to 172.31.0.1, Podman's 10.88.0.0/16, libvirt's 192.168.122.0/24, \
        VirtualBox's 192.168.56.0/24 and 10.0.2.15, and of Kubernetes pods, 10.244.0.0/16 and 10.42.0.0/16); by names such as localhost, workgroup, none and unknown; or by a value that more than a \
        hundred assets have.\n\nAn alert that names no endpoint is on the asset that the rules find for it, or waits.\n\nWhat waits for its asset is \
        tried again as soon as an asset comes that it may be, and when the rules change.",
    after_long_help = "Examples:\n  \
        host-runner identification --tenant acme\n  \
        host-runner identification set external-id host-name+domain mac --tenant acme\n  \
        host-runner identification reset --tenant acme"
)]
pub struct IdentificationArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: Option<IdentificationCommand>,

    /// Whose.
    #[command(flatten)]
    pub list: Option<IdentificationListArgs>,
}

/// What can be done with the rules.
#[derive(Debug, Clone, Subcommand)]
#[expect(
    missing_docs,
    reason = "the words are with the arguments, as for all commands"
)]
pub enum IdentificationCommand {
    List(IdentificationListArgs),
    Set(IdentificationSetArgs),
    Reset(IdentificationResetArgs),
}

/// What `identification list` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Show the rules in their order, and what is off",
    long_about = "Show the rules by which a tenant's assets are identified, in the order in which they are tried, and those that are off.",
    after_long_help = "Example:\n  host-runner identification list --tenant acme"
)]
pub struct IdentificationListArgs {
    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,
}

/// What `identification set` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Set the rules, in the order in which they are given; those that are not given are off",
    long_about = "Set the rules by which a tenant's assets are identified, in the order in which they are given. Those that are not given are off. Links that were \
        made before stay; what waits for its asset is tried again.\n\nA rule is one of external-id, host-name, domain, mac and ip, or several with + between: \
        all of them must agree. `domain` alone is refused, since it would take all machines of a domain for one.",
    after_long_help = "Examples:\n  \
        host-runner identification set external-id host-name+domain mac --tenant acme\n  \
        host-runner identification set host-name+mac --tenant acme"
)]
pub struct IdentificationSetArgs {
    /// The rules, the strongest first: external-id, host-name, domain, mac or ip, or several with + between
    #[arg(value_name = "RULE", required = true)]
    pub rules: Vec<String>,

    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,
}

impl IdentificationSetArgs {
    /// The rules.
    ///
    /// # Errors
    /// Where one is none, or is given twice.
    pub fn rules(&self) -> Result<Rules, RuleError> {
        let rules: Result<Vec<_>, _> = self.rules.iter().map(|text| text.parse()).collect();
        Rules::new(rules?)
    }
}

/// What `identification reset` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Set the rules back to the default: external-id, then host-name+domain",
    long_about = "Set the rules by which a tenant's assets are identified back to the default: external-id, then host-name+domain. Links that were made before \
        stay; what waits for its asset is tried again.",
    after_long_help = "Example:\n  host-runner identification reset --tenant acme"
)]
pub struct IdentificationResetArgs {
    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,
}
