//! The types of events that figures are made of. Any other is a custom one.

/// A page is looked at.
pub const PAGE_VIEW: &str = "page_view";
/// Fast clicks on one element.
pub const RAGE_CLICK: &str = "rage_click";
/// A click that nothing answers.
pub const DEAD_CLICK: &str = "dead_click";
/// A click on what was gone or moved away.
pub const PHANTOM_CLICK: &str = "phantom_click";
/// An exception that nothing caught.
pub const JS_EXCEPTION: &str = "js_exception";
/// A rejection that nothing handled.
pub const PROMISE_REJECTION: &str = "promise_rejection";
/// An error in the console.
pub const CONSOLE_ERROR: &str = "console_error";
/// A warning in the console.
pub const CONSOLE_WARNING: &str = "console_warning";
/// A form is left that was begun.
pub const FORM_ABANDON: &str = "form_abandon";
/// What a client makes of a visit. Figures have their own.
pub const FRUSTRATION_SCORE: &str = "frustration_score";
/// How far and how long a page was read.
pub const READING_BEHAVIOR: &str = "reading_behavior";
/// What search engines find at a page.
pub const SEO_DIAGNOSTICS: &str = "seo_diagnostics";
/// A long pause at a field.
pub const FIELD_HESITATION: &str = "field_hesitation";
/// How fast and how steady a page was.
pub const WEB_VITALS: &str = "web_vitals";

/// All of them. Append only: positions are stored.
pub const DOCUMENTED: [&str; 14] = [
    PAGE_VIEW,
    RAGE_CLICK,
    DEAD_CLICK,
    PHANTOM_CLICK,
    JS_EXCEPTION,
    PROMISE_REJECTION,
    CONSOLE_ERROR,
    CONSOLE_WARNING,
    FORM_ABANDON,
    FRUSTRATION_SCORE,
    READING_BEHAVIOR,
    SEO_DIAGNOSTICS,
    FIELD_HESITATION,
    WEB_VITALS,
];
