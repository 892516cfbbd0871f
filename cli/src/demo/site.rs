//! The site that the demo data is about, and the people who come to it.

/// A thing and how often it is drawn, relative to the others.
pub type Weighted<T> = (u32, T);

/// A page.
#[derive(Debug)]
pub struct Page {
    /// Its path.
    pub url: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Where its readers go next, by path.
    pub next: &'static [Weighted<&'static str>],
    /// The form on it: its name and its fields.
    pub form: Option<(&'static str, &'static [&'static str])>,
    /// Whether it is read rather than passed through.
    pub is_article: bool,
    /// What its markup lacks.
    pub seo: Seo,
}

/// What a check of a page's markup finds.
#[derive(Debug)]
pub struct Seo {
    /// Characters of the meta description.
    pub description: u32,
    /// Headings of the first level.
    pub headings: u32,
    /// Images without a text.
    pub images: u32,
}

const fn seo(description: u32, headings: u32, images: u32) -> Seo {
    Seo { description, headings, images }
}

/// All pages; the first one is the start page.
pub const PAGES: [Page; 15] = [
    Page {
        url: "/",
        title: "Harbor: project planning for small teams",
        next: &[(30, "/features"), (28, "/pricing"), (12, "/docs"), (12, "/blog"), (8, "/signup"), (6, "/about")],
        form: None,
        is_article: false,
        seo: seo(148, 1, 2),
    },
    Page {
        url: "/features",
        title: "Features | Harbor",
        next: &[(40, "/pricing"), (15, "/signup"), (15, "/docs"), (15, "/"), (8, "/blog")],
        form: None,
        is_article: false,
        seo: seo(131, 1, 5),
    },
    Page {
        url: "/pricing",
        title: "Pricing | Harbor",
        next: &[(38, "/signup"), (18, "/features"), (14, "/contact"), (12, "/"), (10, "/docs")],
        form: None,
        is_article: false,
        seo: seo(0, 1, 0),
    },
    Page {
        url: "/docs",
        title: "Documentation | Harbor",
        next: &[(50, "/docs/quickstart"), (32, "/docs/api"), (8, "/pricing"), (6, "/signup")],
        form: None,
        is_article: false,
        seo: seo(96, 1, 0),
    },
    Page {
        url: "/docs/quickstart",
        title: "Quickstart | Harbor documentation",
        next: &[(45, "/docs/api"), (20, "/signup"), (20, "/docs"), (5, "/login")],
        form: None,
        is_article: true,
        seo: seo(120, 1, 1),
    },
    Page {
        url: "/docs/api",
        title: "API reference | Harbor documentation",
        next: &[(40, "/docs"), (25, "/docs/quickstart"), (15, "/login")],
        form: None,
        is_article: true,
        seo: seo(0, 2, 0),
    },
    Page {
        url: "/blog",
        title: "Blog | Harbor",
        next: &[(34, "/blog/weekly-planning"), (30, "/blog/remote-standups"), (24, "/blog/harbor-2"), (8, "/")],
        form: None,
        is_article: false,
        seo: seo(88, 0, 3),
    },
    Page {
        url: "/blog/weekly-planning",
        title: "Weekly planning that survives Wednesday",
        next: &[(30, "/blog"), (20, "/"), (20, "/blog/remote-standups"), (10, "/pricing")],
        form: None,
        is_article: true,
        seo: seo(155, 1, 4),
    },
    Page {
        url: "/blog/remote-standups",
        title: "Remote stand-ups without the standing",
        next: &[(34, "/blog"), (20, "/"), (18, "/blog/weekly-planning"), (8, "/features")],
        form: None,
        is_article: true,
        seo: seo(149, 1, 0),
    },
    Page {
        url: "/blog/harbor-2",
        title: "Harbor 2 is here: what is new, what is gone, and why we rewrote the calendar from scratch",
        next: &[(36, "/features"), (22, "/pricing"), (18, "/blog"), (14, "/signup")],
        form: None,
        is_article: true,
        seo: seo(0, 1, 7),
    },
    Page {
        url: "/signup",
        title: "Sign up | Harbor",
        next: &[(52, "/app"), (14, "/pricing"), (10, "/login"), (8, "/")],
        form: Some(("signup", &["email", "password", "company", "team_size"])),
        is_article: false,
        seo: seo(70, 1, 0),
    },
    Page {
        url: "/login",
        title: "Log in | Harbor",
        next: &[(74, "/app"), (10, "/signup"), (6, "/")],
        form: Some(("login", &["email", "password"])),
        is_article: false,
        seo: seo(0, 1, 0),
    },
    Page {
        url: "/app",
        title: "Board | Harbor",
        next: &[(30, "/app"), (20, "/docs"), (10, "/pricing"), (10, "/")],
        form: None,
        is_article: false,
        seo: seo(0, 0, 1),
    },
    Page {
        url: "/contact",
        title: "Contact | Harbor",
        next: &[(40, "/"), (30, "/pricing"), (10, "/about")],
        form: Some(("contact", &["name", "email", "message"])),
        is_article: false,
        seo: seo(102, 1, 0),
    },
    Page {
        url: "/about",
        title: "About us | Harbor",
        next: &[(40, "/"), (20, "/blog"), (20, "/contact")],
        form: None,
        is_article: true,
        seo: seo(64, 1, 6),
    },
];

/// A page by its path; the start page if there is none.
pub fn page(url: &str) -> &'static Page {
    PAGES.iter().find(|page| page.url == url).unwrap_or(&PAGES[0])
}

/// A browser on a machine.
#[derive(Debug)]
pub struct Device {
    /// The browser.
    pub browser: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The operating system.
    pub os: &'static str,
    /// Whether it is a phone or a tablet.
    pub is_mobile: bool,
    /// Screens it comes with.
    pub screens: &'static [(u32, u32)],
}

const fn desktop(browser: &'static str, version: &'static str, os: &'static str) -> Device {
    const SCREENS: &[(u32, u32)] = &[(1920, 1080), (1536, 864), (1440, 900), (2560, 1440), (1366, 768)];
    Device { browser, version, os, is_mobile: false, screens: SCREENS }
}

const fn phone(browser: &'static str, version: &'static str, os: &'static str) -> Device {
    const SCREENS: &[(u32, u32)] = &[(390, 844), (393, 873), (412, 915), (360, 800), (430, 932)];
    Device { browser, version, os, is_mobile: true, screens: SCREENS }
}

/// What people come with.
pub const DEVICES: [Weighted<Device>; 11] = [
    (30, desktop("Chrome", "141.0.0.0", "Windows")),
    (12, desktop("Chrome", "141.0.0.0", "macOS")),
    (4, desktop("Chrome", "140.0.0.0", "Linux")),
    (9, desktop("Edge", "141.0.0.0", "Windows")),
    (5, desktop("Firefox", "144.0", "Windows")),
    (3, desktop("Firefox", "144.0", "Linux")),
    (8, desktop("Safari", "26.0", "macOS")),
    (15, phone("Safari", "26.0", "iOS")),
    (14, phone("Chrome", "141.0.0.0", "Android")),
    (3, phone("Samsung Internet", "28.0", "Android")),
    (1, phone("Firefox", "144.0", "Android")),
];

/// What a crawler shows of itself.
pub const CRAWLER: Device =
    Device { browser: "Googlebot", version: "2.1", os: "Linux", is_mobile: false, screens: &[(1024, 1024)] };

/// What a scraper that poses as a browser shows of itself.
pub const SCRAPER: Device =
    Device { browser: "Chrome", version: "119.0.0.0", os: "Linux", is_mobile: false, screens: &[(800, 600)] };

/// A place.
#[derive(Debug)]
pub struct Place {
    /// The country's English name.
    pub country: &'static str,
    /// ISO 3166-1 alpha-2.
    pub code: &'static str,
    /// Its cities.
    pub cities: &'static [&'static str],
    /// IANA name.
    pub timezone: &'static str,
    /// BCP 47 tag.
    pub language: &'static str,
    /// Hours ahead of UTC, near enough for a daily rhythm.
    pub hours_ahead: i64,
}

const fn place(
    country: &'static str,
    code: &'static str,
    cities: &'static [&'static str],
    (timezone, language): (&'static str, &'static str),
    hours_ahead: i64,
) -> Place {
    Place { country, code, cities, timezone, language, hours_ahead }
}

/// Where people are.
pub const PLACES: [Weighted<Place>; 14] = [
    (24, place("United States", "US", &["New York", "Chicago", "Austin", "Boston"], ("America/New_York", "en-US"), -5)),
    (8, place("United States", "US", &["San Francisco", "Seattle"], ("America/Los_Angeles", "en-US"), -8)),
    (13, place("Germany", "DE", &["Berlin", "Munich", "Hamburg"], ("Europe/Berlin", "de"), 1)),
    (10, place("United Kingdom", "GB", &["London", "Manchester", "Leeds"], ("Europe/London", "en-GB"), 0)),
    (8, place("Serbia", "RS", &["Belgrade", "Novi Sad", "Niš"], ("Europe/Belgrade", "sr"), 1)),
    (7, place("France", "FR", &["Paris", "Lyon"], ("Europe/Paris", "fr"), 1)),
    (6, place("India", "IN", &["Bengaluru", "Mumbai", "Pune"], ("Asia/Kolkata", "en-IN"), 5)),
    (5, place("Netherlands", "NL", &["Amsterdam", "Utrecht"], ("Europe/Amsterdam", "nl"), 1)),
    (4, place("Canada", "CA", &["Toronto", "Montreal"], ("America/Toronto", "en-CA"), -5)),
    (4, place("Brazil", "BR", &["São Paulo", "Curitiba"], ("America/Sao_Paulo", "pt-BR"), -3)),
    (3, place("Spain", "ES", &["Madrid", "Barcelona"], ("Europe/Madrid", "es"), 1)),
    (3, place("Poland", "PL", &["Warsaw", "Kraków"], ("Europe/Warsaw", "pl"), 1)),
    (3, place("Japan", "JP", &["Tokyo", "Osaka"], ("Asia/Tokyo", "ja"), 9)),
    (2, place("Australia", "AU", &["Sydney", "Melbourne"], ("Australia/Sydney", "en-AU"), 10)),
];

/// How someone came to the site.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// The referring address.
    pub referrer: Option<&'static str>,
    /// Source, medium and campaign.
    pub utm: Option<(&'static str, &'static str, &'static str)>,
    /// The term that was searched for, or the advertisement's variant.
    pub detail: Option<&'static str>,
    /// Where it leads to; none: anywhere.
    pub landing: Option<&'static str>,
}

const fn from(referrer: &'static str) -> Source {
    Source { referrer: Some(referrer), utm: None, detail: None, landing: None }
}

/// Where people come from.
pub const SOURCES: [Weighted<Source>; 16] = [
    (26, Source { referrer: None, utm: None, detail: None, landing: None }),
    (28, from("https://www.google.com/")),
    (5, from("https://www.bing.com/")),
    (4, from("https://duckduckgo.com/")),
    (5, Source { landing: Some("/blog/remote-standups"), ..from("https://news.ycombinator.com/") }),
    (4, Source { landing: Some("/blog/weekly-planning"), ..from("https://www.reddit.com/r/productivity/") }),
    (3, from("https://www.linkedin.com/")),
    (2, from("https://t.co/k3Jx0Qp1aB")),
    (3, Source { landing: Some("/docs/api"), ..from("https://github.com/harbor-app/harbor-cli") }),
    (2, from("https://chatgpt.com/")),
    (2, Source { landing: Some("/features"), ..from("https://www.youtube.com/") }),
    (
        8,
        Source {
            referrer: Some("https://www.google.com/"),
            utm: Some(("google", "cpc", "brand_search")),
            detail: Some("project planning tool"),
            landing: Some("/pricing"),
        },
    ),
    (
        5,
        Source {
            referrer: None,
            utm: Some(("newsletter", "email", "october_update")),
            detail: Some("header_button"),
            landing: Some("/blog/harbor-2"),
        },
    ),
    (
        4,
        Source {
            referrer: Some("https://www.facebook.com/"),
            utm: Some(("facebook", "paid_social", "small_teams")),
            detail: Some("video_a"),
            landing: Some("/"),
        },
    ),
    (
        2,
        Source {
            referrer: Some("https://toolsreview.example/"),
            utm: Some(("toolsreview", "affiliate", "best_of")),
            detail: None,
            landing: Some("/features"),
        },
    ),
    (
        2,
        Source {
            referrer: None,
            utm: Some(("display_network", "display", "retargeting")),
            detail: Some("banner_300x250"),
            landing: Some("/pricing"),
        },
    ),
];

/// Where people land who are led nowhere in particular.
pub const LANDINGS: [Weighted<&str>; 7] = [
    (50, "/"),
    (12, "/pricing"),
    (10, "/blog"),
    (10, "/docs/quickstart"),
    (6, "/features"),
    (6, "/login"),
    (6, "/docs"),
];

/// Something that goes wrong in a page's code.
#[derive(Debug)]
pub struct Fault {
    /// The event that it is reported as.
    pub event: &'static str,
    /// What it says.
    pub message: &'static str,
    /// The script, with line and column.
    pub source: (&'static str, u32, u32),
    /// Where it was called from.
    pub stack: Option<&'static str>,
}

/// What goes wrong.
pub const FAULTS: [Weighted<Fault>; 8] = [
    (
        6,
        Fault {
            event: "js_exception",
            message: "TypeError: Cannot read properties of undefined (reading 'tasks')",
            source: ("/assets/board.8f3a.js", 214, 17),
            stack: Some("at renderColumn (/assets/board.8f3a.js:214:17)\nat Board (/assets/board.8f3a.js:98:5)"),
        },
    ),
    (
        3,
        Fault {
            event: "js_exception",
            message: "ReferenceError: gtag is not defined",
            source: ("/assets/analytics.11c0.js", 12, 3),
            stack: Some("at track (/assets/analytics.11c0.js:12:3)"),
        },
    ),
    (
        2,
        Fault {
            event: "js_exception",
            message: "RangeError: Invalid time value",
            source: ("/assets/calendar.5d21.js", 77, 29),
            stack: Some("at Date.toISOString (<anonymous>)\nat formatDay (/assets/calendar.5d21.js:77:29)"),
        },
    ),
    (
        4,
        Fault {
            event: "promise_rejection",
            message: "Failed to fetch",
            source: ("/assets/app.c9e4.js", 31, 11),
            stack: Some("at async loadPlans (/assets/app.c9e4.js:31:11)"),
        },
    ),
    (
        2,
        Fault {
            event: "promise_rejection",
            message: "AbortError: The operation was aborted.",
            source: ("/assets/app.c9e4.js", 52, 9),
            stack: None,
        },
    ),
    (
        5,
        Fault {
            event: "console_error",
            message: "Failed to load resource: the server responded with a status of 404 ()",
            source: ("/img/team/anna.webp", 0, 0),
            stack: None,
        },
    ),
    (
        7,
        Fault {
            event: "console_warning",
            message: "The resource /fonts/inter.woff2 was preloaded but not used within a few seconds",
            source: ("/", 1, 1),
            stack: None,
        },
    ),
    (
        4,
        Fault {
            event: "console_warning",
            message: "Each child in a list should have a unique \"key\" prop.",
            source: ("/assets/app.c9e4.js", 1, 48_211),
            stack: None,
        },
    ),
];

/// What is clicked in vain: selector and text.
pub const RAGE_TARGETS: [(&str, &str); 4] = [
    ("button.apply-coupon", "Apply"),
    ("#save-board", "Save"),
    (".pricing-toggle > span", "Yearly"),
    ("form#signup button[type=submit]", "Create account"),
];

/// What looks as if it could be clicked.
pub const DEAD_TARGETS: [(&str, &str); 5] = [
    (".feature-card", "Calendar"),
    (".pricing-table .badge", "Most popular"),
    ("img.hero", ""),
    (".testimonial h3", "“It just works”"),
    ("code.inline", "harbor init"),
];

/// What is gone before the click arrives.
pub const PHANTOM_TARGETS: [(&str, &str); 3] =
    [(".toast .undo", "Undo"), (".cookie-banner .accept", "Accept"), (".menu-item.active", "Templates")];
