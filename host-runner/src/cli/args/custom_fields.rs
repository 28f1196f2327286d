//! Custom fields of the platform.

use clap::{Args, Subcommand};

use crate::domain::TenantName;

/// What `custom-fields` takes.
#[derive(Debug, Clone, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    about = "List, add or remove the custom fields that a tenant's assets may have",
    long_about = "List, add or remove the custom fields that a tenant's assets may have. A map writes a custom field only where one of exactly that name \
        exists, as the map for SAFE does with cortexXdr-tags; it is written also where existing assets are not updated.",
    after_long_help = "Examples:\n  \
        host-runner custom-fields add cortexXdr-tags --tenant acme\n  \
        host-runner custom-fields list --tenant acme"
)]
pub struct CustomFieldsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: CustomFieldsCommand,
}

/// What can be done with custom fields.
#[derive(Debug, Clone, Subcommand)]
#[expect(
    missing_docs,
    reason = "the words are with the arguments, as for all commands"
)]
pub enum CustomFieldsCommand {
    List(CustomFieldsListArgs),
    Add(CustomFieldsAddArgs),
    Remove(CustomFieldsRemoveArgs),
}

/// What `custom-fields list` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "List a tenant's custom fields",
    long_about = "List a tenant's custom fields, and those that the maps of its connections ask for and that do not exist.",
    after_long_help = "Example:\n  host-runner custom-fields list --tenant acme"
)]
pub struct CustomFieldsListArgs {
    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,
}

/// What `custom-fields add` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Add a custom field",
    long_about = "Add a custom field. All documents of the tenant's connections are made anew for it, those of unchanged records too, so that it is filled on all \
        linked assets: at the next sync.\n\nThe name counts to the letter. One that nearly is what a map asks for is added all the same, and told.",
    after_long_help = "Example:\n  host-runner custom-fields add cortexXdr-tags --tenant acme"
)]
pub struct CustomFieldsAddArgs {
    /// Its name, to the letter
    #[arg(value_name = "NAME")]
    pub name: String,

    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,
}

/// What `custom-fields remove` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Remove a custom field; values that assets have in it stay",
    long_about = "Remove a custom field. Values that assets have in it stay in their documents; maps do not write it any more.",
    after_long_help = "Example:\n  host-runner custom-fields remove cortexXdr-tags --tenant acme"
)]
pub struct CustomFieldsRemoveArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,

    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,
}
