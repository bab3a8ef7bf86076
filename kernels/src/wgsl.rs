//! WGSL has no preprocessor, so its kernels are templates, rendered here. A name that a template lacks is an error.

use minijinja::{Environment, UndefinedBehavior, Value};

/// A common software driver of Vulkan ends all loops of a work-item, without a word, after 65 535 rounds altogether.
pub(crate) const MOST_ROUNDS: u32 = 65_000;

/// Renders a template of this crate.
pub(crate) fn render(name: &str, template: &str, values: Value) -> String {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
        .render_named_str(name, template, values)
        // Templates are part of this crate and rendered by its tests for every precision and layout.
        .unwrap_or_else(|error| unreachable!("{error:#}"))
}
