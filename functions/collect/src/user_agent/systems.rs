//! Operating systems and kinds of devices.

use super::agent::Agent;

/// What a device is, as far as it matters whether somebody holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// A phone or tablet.
    Mobile,
    /// A computer, television or console.
    Fixed,
    Unknown,
}

impl Device {
    /// 1 for what somebody holds.
    pub fn mobile(self) -> Option<u8> {
        match self {
            Device::Mobile => Some(1),
            Device::Fixed => Some(0),
            Device::Unknown => None,
        }
    }
}

use Device::{Fixed, Mobile, Unknown};

/// Systems by a word of the user agent's first parentheses. The first that is there counts: those above name others for
/// the sake of old websites.
const SYSTEMS: &[(&str, &str, Device)] = &[
    ("OpenHarmony", "HarmonyOS", Mobile),
    ("HarmonyOS", "HarmonyOS", Mobile),
    ("Xbox", "Xbox", Fixed),
    ("PlayStation Vita", "PlayStation", Mobile),
    ("PlayStation Portable", "PlayStation", Mobile),
    ("PlayStation", "PlayStation", Fixed),
    ("PLAYSTATION", "PlayStation", Fixed),
    ("Nintendo 3DS", "Nintendo", Mobile),
    ("New Nintendo 3DS", "Nintendo", Mobile),
    ("Nintendo", "Nintendo", Fixed),
    ("KAIOS", "KaiOS", Mobile),
    ("Windows Phone", "Windows Phone", Mobile),
    ("Windows Mobile", "Windows Phone", Mobile),
    ("Windows CE", "Windows CE", Mobile),
    ("Tizen", "Tizen", Mobile),
    ("TIZEN", "Tizen", Mobile),
    ("Sailfish", "Sailfish OS", Mobile),
    ("Android", "Android", Mobile),
    ("Andr0id", "Android", Mobile),
    ("Adr", "Android", Mobile),
    ("iPhone", "iOS", Mobile),
    ("iPad", "iOS", Mobile),
    ("iPod", "iOS", Mobile),
    ("Apple TV", "tvOS", Fixed),
    ("AppleTV", "tvOS", Fixed),
    ("webOS", "webOS", Fixed),
    ("Web0S", "webOS", Fixed),
    ("hpwOS", "webOS", Mobile),
    ("MeeGo", "MeeGo", Mobile),
    ("Maemo", "Maemo", Mobile),
    ("bada", "Bada", Mobile),
    ("BlackBerry", "BlackBerry", Mobile),
    ("BB10", "BlackBerry", Mobile),
    ("PlayBook", "BlackBerry", Mobile),
    ("RIM Tablet", "BlackBerry", Mobile),
    ("Symbian", "Symbian", Mobile),
    ("SymbOS", "Symbian", Mobile),
    ("Series60", "Symbian", Mobile),
    ("Series40", "Series 40", Mobile),
    ("CrOS", "Chrome OS", Fixed),
    ("Fuchsia", "Fuchsia", Fixed),
    ("Windows", "Windows", Fixed),
    ("Win98", "Windows", Fixed),
    ("Win95", "Windows", Fixed),
    ("Macintosh", "macOS", Fixed),
    ("Mac OS", "macOS", Fixed),
    ("Mac_PowerPC", "macOS", Fixed),
    ("Darwin", "macOS", Fixed),
    ("OpenBSD", "OpenBSD", Fixed),
    ("FreeBSD", "FreeBSD", Fixed),
    ("NetBSD", "NetBSD", Fixed),
    ("DragonFly", "DragonFly", Fixed),
    ("SunOS", "Solaris", Fixed),
    ("Haiku", "Haiku", Fixed),
    ("Roku", "Roku", Fixed),
    ("Ubuntu", "Linux", Fixed),
    ("Linux", "Linux", Fixed),
    ("X11", "Linux", Fixed),
    ("J2ME", "Java ME", Mobile),
    ("MIDP", "Java ME", Mobile),
];

/// Systems that name themselves outside of the parentheses.
const OUTSIDE: &[(&str, &str, Device)] = &[
    ("Roku", "Roku", Fixed),
    ("KAIOS/", "KaiOS", Mobile),
    ("Tizen", "Tizen", Mobile),
    ("BREW", "BREW", Mobile),
    ("Series60/", "Symbian", Mobile),
    ("SymbianOS", "Symbian", Mobile),
    ("BlackBerry", "BlackBerry", Mobile),
    ("J2ME", "Java ME", Mobile),
    ("MIDP", "Java ME", Mobile),
    ("Android", "Android", Mobile),
    ("iPhone", "iOS", Mobile),
    ("FBIOS", "iOS", Mobile),
];

/// Words of what stands, though its system is one of phones: televisions, what is plugged into them, and HarmonyOS's
/// computers.
const STANDING: &[&str] = &[
    "TV",
    "MiTV",
    "TDTV",
    "SmartTV",
    "GoogleTV",
    "AndroidTV",
    "BRAVIA",
    "AFT",
    "CrKey",
    "HbbTV",
    "NetCast",
    "DTV",
    "VIDAA",
    "Chromecast",
    "Large Screen",
    "PC;",
    "2in1;",
];

/// The system and the kind of device of a user agent.
pub fn of(agent: Agent<'_>) -> (Option<&'static str>, Device) {
    let inside = SYSTEMS.iter().find(|(word, ..)| agent.is_on(word));
    let Some((_, system, device)) = inside.or_else(|| OUTSIDE.iter().find(|(word, ..)| agent.has(word))) else {
        return (None, Unknown);
    };
    let is_fixed = STANDING.iter().any(|word| agent.has(word));
    (Some(system), if is_fixed { Fixed } else { *device })
}
