//! Where a session comes from: the default channel group of Google Analytics 4.
//!
//! The rules are those of "[GA4] Default channel group" (<https://support.google.com/analytics/answer/9756891>)
//! for manually tagged traffic, tried in its order; case is ignored. Where Google knows more than a request tells:
//!
//! - Ads that are tagged automatically have an identifier of the click in the address of the page they lead to, and
//!   nothing else. Google asks its ads what it means; here it is a search engine's ad ([`CLICK_IDS`]), unless a campaign's
//!   medium says otherwise. `fbclid` is none: it is in every link from Facebook, paid or not.
//! - "AI Assistant" is what Google makes of referrers on a list that it does not publish, and gives the medium
//!   `ai-assistant`. Ours is in `source_hosts.csv`, and has its names as sources too, as some assistants tag their links
//!   with nothing but `utm_source`. Google's rule stands behind those of paid traffic, and so does ours.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize, Serializer};
use url::{Url, form_urlencoded};

use crate::site::{HostPattern, MAX_DOMAIN};

const GOOGLE_LIST: &str = include_str!("../data/ga4_source_categories.csv");
const OUR_HOSTS: &str = include_str!("../data/source_hosts.csv");

/// What stands for the source of a session that nothing sent.
const DIRECT: &str = "(direct)";
/// What stands for the source or the medium of a session that has some of them, but not this one.
const NOT_SET: &str = "(not set)";
/// The medium of ads that are paid for by the click.
pub const PAID_CLICK: &str = "cpc";

/// The parameters that search engines add to the address an ad leads to, whose value identifies the click, with the
/// engine: Google Ads (`gad_source` says on which of its networks), Microsoft Advertising and Yandex Direct.
const CLICK_IDS: [(&str, &str); 6] = [
    ("gclid", "google"),
    ("wbraid", "google"),
    ("gbraid", "google"),
    ("gad_source", "google"),
    ("msclkid", "bing"),
    ("yclid", "yandex"),
];

/// What stands before a site's name in place of `www`, besides the codes of countries and languages.
const EDITIONS: [&str; 8] = ["m", "l", "lm", "mobile", "touch", "mbasic", "out", "web"];

const DISPLAY_MEDIUMS: [&str; 5] = ["display", "banner", "expandable", "interstitial", "cpm"];
const SOCIAL_MEDIUMS: [&str; 6] = ["social", "social-network", "social-media", "sm", "social network", "social media"];
const REFERRAL_MEDIUMS: [&str; 3] = ["referral", "app", "link"];
const EMAIL: [&str; 4] = ["email", "e-mail", "e_mail", "e mail"];

/// A marketing channel. Stored by its position in this list: a new one goes to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Channel {
    /// A typed address or a bookmark: nothing tells of a source.
    Direct,
    /// A search engine's results.
    OrganicSearch,
    /// A search engine's ads.
    PaidSearch,
    /// Posts in a social network.
    OrganicSocial,
    /// A social network's ads.
    PaidSocial,
    /// Links in mails.
    Email,
    /// Links on other sites.
    Referral,
    /// Display ads.
    Display,
    /// Affiliates' links.
    Affiliates,
    /// Links on a video site.
    OrganicVideo,
    /// A video site's ads.
    PaidVideo,
    /// Links on a shopping site.
    OrganicShopping,
    /// A shopping site's ads.
    PaidShopping,
    /// Audio ads.
    Audio,
    /// Links in text messages.
    Sms,
    /// Links in notifications on a mobile device.
    MobilePushNotifications,
    /// What no rule describes.
    Unassigned,
    /// Links in answers of AI assistants.
    AiAssistant,
    /// Ads on no known kind of site.
    PaidOther,
    /// Ads that ran on several networks.
    CrossNetwork,
}

impl Channel {
    /// All of them.
    pub const ALL: [Channel; 20] = [
        Channel::Direct,
        Channel::OrganicSearch,
        Channel::PaidSearch,
        Channel::OrganicSocial,
        Channel::PaidSocial,
        Channel::Email,
        Channel::Referral,
        Channel::Display,
        Channel::Affiliates,
        Channel::OrganicVideo,
        Channel::PaidVideo,
        Channel::OrganicShopping,
        Channel::PaidShopping,
        Channel::Audio,
        Channel::Sms,
        Channel::MobilePushNotifications,
        Channel::Unassigned,
        Channel::AiAssistant,
        Channel::PaidOther,
        Channel::CrossNetwork,
    ];

    /// Its name in Google Analytics.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Direct => "Direct",
            Channel::OrganicSearch => "Organic Search",
            Channel::PaidSearch => "Paid Search",
            Channel::OrganicSocial => "Organic Social",
            Channel::PaidSocial => "Paid Social",
            Channel::Email => "Email",
            Channel::Referral => "Referral",
            Channel::Display => "Display",
            Channel::Affiliates => "Affiliates",
            Channel::OrganicVideo => "Organic Video",
            Channel::PaidVideo => "Paid Video",
            Channel::OrganicShopping => "Organic Shopping",
            Channel::PaidShopping => "Paid Shopping",
            Channel::Audio => "Audio",
            Channel::Sms => "SMS",
            Channel::MobilePushNotifications => "Mobile Push Notifications",
            Channel::Unassigned => "Unassigned",
            Channel::AiAssistant => "AI Assistant",
            Channel::PaidOther => "Paid Other",
            Channel::CrossNetwork => "Cross-network",
        }
    }

    /// Itself, if the release before it came does not know it.
    pub fn later(self) -> Option<Self> {
        matches!(self, Channel::AiAssistant | Channel::PaidOther | Channel::CrossNetwork).then_some(self)
    }

    /// Writes it as that release reads it.
    pub fn serialize_as_before<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.later().map_or(*self, |_| Channel::Unassigned).serialize(serializer)
    }
}

/// What the address that a session landed on says about its source. An empty value is as good as none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Source<'a> {
    /// That address.
    pub landing_url: Option<&'a str>,
    /// Campaign parameter.
    pub utm_source: Option<&'a str>,
    /// Campaign parameter.
    pub utm_medium: Option<&'a str>,
    /// Campaign parameter.
    pub utm_campaign: Option<&'a str>,
}

/// The host that a referrer names, lower-cased and without `www.`; an Android app's is its package. There is
/// none if the referrer is the address of neither, or is one of the project's own hosts, `www.` aside. A host alone is as
/// good as its address: that is how other tools export referrers.
pub fn referrer_host(referrer: &str, own_hosts: &[HostPattern]) -> Option<String> {
    let url = Url::parse(referrer).ok().filter(is_address).or_else(|| of_bare_host(referrer))?;
    let host = bare_host(&url.host_str()?.to_lowercase()).to_owned();
    let own = own_hosts.iter().any(|own| own.matches(&host));
    (!host.is_empty() && !own).then_some(host)
}

fn is_address(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https" | "android-app")
}

/// `partner.example`, `partner.example:8080` or `partner.example/page`.
fn of_bare_host(referrer: &str) -> Option<Url> {
    let host = referrer.split(['/', ':', '?', '#']).next()?;
    let is_domain = host.contains('.') && host.parse::<HostPattern>().is_ok();
    let url = Url::parse(&format!("http://{referrer}")).ok();
    url.filter(|url| is_domain && url.username().is_empty() && url.password().is_none())
}

/// The channel of a session with that source and [`referrer_host`].
///
/// The campaign parameters come first; a session without `utm_source` has its referrer for a source. What
/// they leave unassigned for want of a medium is search or a referral if there is a referrer.
pub fn channel(source: &Source<'_>, referrer_host: Option<&str>) -> Channel {
    let [utm_source, medium, campaign] = [source.utm_source, source.utm_medium, source.utm_campaign].map(given);
    if medium.is_none()
        && let Some(engine) = source.landing_url.and_then(clicked_ad)
    {
        let known = utm_source.as_deref().filter(|source| Category::of(source).is_some());
        let campaign = campaign.as_deref().unwrap_or_default();
        return Tags { source: known.unwrap_or(engine), medium: PAID_CLICK, campaign }.channel();
    }
    let nothing = if campaign.is_some() { NOT_SET } else { DIRECT };
    let tagged = Tags {
        source: utm_source.as_deref().or(referrer_host).unwrap_or(nothing),
        medium: medium.as_deref().unwrap_or(NOT_SET),
        campaign: campaign.as_deref().unwrap_or_default(),
    }
    .channel();
    match (tagged, medium, referrer_host.map(Category::of)) {
        (Channel::Unassigned, None, Some(Some(Category::Search))) => Channel::OrganicSearch,
        (Channel::Unassigned, None, Some(Some(Category::Assistant))) => Channel::AiAssistant,
        (Channel::Unassigned, None, Some(_)) => Channel::Referral,
        _ => tagged,
    }
}

/// The search engine whose ad led to an address.
fn clicked_ad(landing_url: &str) -> Option<&'static str> {
    let (_, query) = landing_url.split('#').next()?.split_once('?')?;
    form_urlencoded::parse(query.as_bytes()).find_map(|(name, _)| engine_of_click(&name))
}

/// The search engine, as a source of campaigns, whose ads lead to addresses with this parameter. Those of social
/// networks tell no ad from a post.
pub fn engine_of_click(parameter: &str) -> Option<&'static str> {
    CLICK_IDS.iter().find(|(id, _)| *id == parameter).map(|(_, engine)| *engine)
}

fn given(value: Option<&str>) -> Option<String> {
    value.map(str::trim).filter(|value| !value.is_empty()).map(str::to_lowercase)
}

fn bare_host(host: &str) -> &str {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.strip_prefix("www.").unwrap_or(host)
}

/// What the rules look at, in lower case.
struct Tags<'a> {
    source: &'a str,
    medium: &'a str,
    campaign: &'a str,
}

impl Tags<'_> {
    /// Google's rules, in Google's order.
    fn channel(&self) -> Channel {
        let (source, medium) = (self.source, self.medium);
        if source == DIRECT && [NOT_SET, "(none)"].contains(&medium) {
            return Channel::Direct;
        }
        let category = Category::of(source);
        let shopping = category == Some(Category::Shopping) || is_shopping_campaign(self.campaign);
        let paid = is_paid(medium);
        match category {
            _ if self.campaign.contains("cross-network") => Channel::CrossNetwork,
            _ if paid && shopping => Channel::PaidShopping,
            Some(Category::Search) if paid => Channel::PaidSearch,
            Some(Category::Social) if paid => Channel::PaidSocial,
            Some(Category::Video) if paid => Channel::PaidVideo,
            _ if DISPLAY_MEDIUMS.contains(&medium) => Channel::Display,
            _ if paid => Channel::PaidOther,
            Some(Category::Assistant) => Channel::AiAssistant,
            _ if medium == "ai-assistant" => Channel::AiAssistant,
            _ if shopping => Channel::OrganicShopping,
            Some(Category::Social) => Channel::OrganicSocial,
            _ if SOCIAL_MEDIUMS.contains(&medium) => Channel::OrganicSocial,
            Some(Category::Video) => Channel::OrganicVideo,
            _ if medium.contains("video") => Channel::OrganicVideo,
            Some(Category::Search) => Channel::OrganicSearch,
            _ if medium == "organic" => Channel::OrganicSearch,
            _ if REFERRAL_MEDIUMS.contains(&medium) => Channel::Referral,
            _ if EMAIL.contains(&source) || EMAIL.contains(&medium) => Channel::Email,
            _ if medium == "affiliate" => Channel::Affiliates,
            _ if medium == "audio" => Channel::Audio,
            _ if source == "sms" || medium == "sms" => Channel::Sms,
            _ if source == "firebase" || is_push(medium) => Channel::MobilePushNotifications,
            _ => Channel::Unassigned,
        }
    }
}

/// `^(.*cp.*|ppc|retargeting|paid.*)$`
fn is_paid(medium: &str) -> bool {
    medium.contains("cp") || medium == "ppc" || medium == "retargeting" || medium.starts_with("paid")
}

/// `^(.*(([^a-df-z]|^)shop|shopping).*)$`: "eshop" and "my-shop", but not "workshop".
fn is_shopping_campaign(campaign: &str) -> bool {
    let begins_word = |before: &str| before.chars().next_back().is_none_or(|c| !matches!(c, 'a'..='d' | 'f'..='z'));
    campaign.contains("shopping")
        || campaign.match_indices("shop").any(|(at, _)| campaign.get(..at).is_some_and(begins_word))
}

fn is_push(medium: &str) -> bool {
    medium.ends_with("push") || medium.contains("mobile") || medium.contains("notification")
}

/// What kind of site a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Category {
    Search,
    Social,
    Shopping,
    Video,
    Assistant,
}

/// What is known of a source.
#[derive(Debug, Clone, Copy)]
struct Known {
    category: Category,
    /// Whether all its subdomains are of its category too.
    subdomains: bool,
}

/// The sources by name or host; a host under any top-level domain is `name.*`.
static SOURCES: LazyLock<HashMap<&'static str, Known>> =
    LazyLock::new(|| rows(OUR_HOSTS).chain(rows(GOOGLE_LIST)).filter_map(|(name, row)| Some((name, row?))).collect());

/// The rows of a data file, by name.
fn rows(file: &'static str) -> impl Iterator<Item = (&'static str, Option<Known>)> {
    file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
        let (name, category) = line.rsplit_once(',').unwrap_or((line, ""));
        let category = Category::parse(category);
        let domain = name.strip_prefix("*.");
        let known = category.map(|category| Known { category, subdomains: domain.is_some() });
        (domain.unwrap_or(name), known)
    })
}

impl Category {
    fn parse(text: &str) -> Option<Category> {
        match text {
            "search" => Some(Category::Search),
            "social" => Some(Category::Social),
            "shopping" => Some(Category::Shopping),
            "video" => Some(Category::Video),
            "assistant" => Some(Category::Assistant),
            _ => None,
        }
    }

    /// The category of a source or host in lower case, of the site that it is an edition of, or of the closest domain above
    /// it whose subdomains are of one category.
    fn of(source: &str) -> Option<Category> {
        let source = bare_host(source);
        if let Some(known) = known(source).or_else(|| known_edition(source)) {
            return Some(known.category);
        }
        // A longer source is no host, and is looked up as a whole.
        let host = Some(source).filter(|source| source.len() <= MAX_DOMAIN)?;
        let parents = std::iter::successors(parent(host), |domain| parent(domain));
        parents.filter_map(known).find(|known| known.subdomains).map(|known| known.category)
    }
}

fn known(source: &str) -> Option<&'static Known> {
    SOURCES.get(source).or_else(|| SOURCES.get(format!("{}.*", without_top_level(source)?).as_str()))
}

/// What is known of the site whose pages for phones, for a country or behind its links a host has: `m.`, `l.` or `de.`
/// before the same site. Its other subdomains are its help, its blog and what it offers developers; and those of a search
/// engine are services of other kinds.
fn known_edition(host: &str) -> Option<&'static Known> {
    let (edition, site) = host.split_once('.')?;
    let is_country = edition.len() == 2 && edition.bytes().all(|byte| byte.is_ascii_lowercase());
    let known = if is_country || EDITIONS.contains(&edition) { known(site)? } else { return None };
    Some(known).filter(|known| matches!(known.category, Category::Social | Category::Shopping | Category::Video))
}

/// The domain above, if it is not a top-level one.
fn parent(domain: &str) -> Option<&str> {
    let (_, parent) = domain.split_once('.')?;
    parent.contains('.').then_some(parent)
}

/// A host without its top-level domain, be it "de", "co.uk" or "com.au".
fn without_top_level(host: &str) -> Option<&str> {
    let (rest, top) = host.rsplit_once('.')?;
    match rest.rsplit_once('.') {
        Some((name, "co" | "com" | "net" | "org" | "ne" | "or")) if top.len() == 2 => Some(name),
        _ => Some(rest),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OWN: [&str; 2] = ["shop.example", "www.Other.example"];

    fn own_hosts() -> Vec<HostPattern> {
        OWN.map(HostPattern::stored).to_vec()
    }

    /// The channel of a session with that referrer and those `utm_source`, `utm_medium` and `utm_campaign`.
    fn channel_of(referrer: &str, campaign: [&str; 3]) -> &'static str {
        channel_at("/", referrer, campaign)
    }

    /// The same of one that landed at an address.
    fn channel_at(
        landing_url: &str,
        referrer: &str,
        [utm_source, utm_medium, utm_campaign]: [&str; 3],
    ) -> &'static str {
        let host = referrer_host(referrer, &own_hosts());
        let source = Source {
            landing_url: Some(landing_url),
            utm_source: Some(utm_source),
            utm_medium: Some(utm_medium),
            utm_campaign: Some(utm_campaign),
        };
        channel(&source, host.as_deref()).name()
    }

    #[test]
    fn a_session_without_campaign_is_classified_by_its_referrer() {
        for (referrer, expected) in [
            ("", "Direct"),
            ("not an address", "Direct"),
            ("https://shop.example/cart", "Direct"),
            ("https://www.shop.example/cart", "Direct"),
            ("https://other.example/", "Direct"),
            ("https://blog.shop.example/", "Referral"),
            ("https://google.com", "Organic Search"),
            ("https://www.google.com/", "Organic Search"),
            ("https://www.google.co.uk/search?q=a", "Organic Search"),
            ("https://google.com.au/", "Organic Search"),
            ("https://images.google.de/", "Organic Search"),
            ("https://news.google.com/", "Organic Search"),
            ("https://mail.google.com/", "Referral"),
            ("https://groups.google.com/", "Organic Social"),
            ("https://google.com.evil.example/", "Referral"),
            ("https://notgoogle.com/", "Referral"),
            ("https://www.bing.com/", "Organic Search"),
            ("https://cn.bing.com/", "Organic Search"),
            ("https://duckduckgo.com/", "Organic Search"),
            ("https://html.duckduckgo.com/", "Organic Search"),
            ("https://search.yahoo.com/", "Organic Search"),
            ("https://r.search.yahoo.com/", "Organic Search"),
            ("https://mail.yahoo.com/", "Referral"),
            ("https://yandex.ru/", "Organic Search"),
            ("https://yandex.com.tr/", "Organic Search"),
            ("https://www.baidu.com/", "Organic Search"),
            ("https://www.ecosia.org/", "Organic Search"),
            ("https://search.brave.com/", "Organic Search"),
            ("https://www.startpage.com/", "Organic Search"),
            ("android-app://com.google.android.googlequicksearchbox/", "Organic Search"),
            ("android-app://com.google.android.gm/", "Referral"),
            ("https://m.facebook.com/", "Organic Social"),
            ("https://l.instagram.com/", "Organic Social"),
            ("https://t.co/abc", "Organic Social"),
            ("https://x.com/", "Organic Social"),
            ("https://de.linkedin.com/", "Organic Social"),
            ("https://old.reddit.com/r/rust", "Organic Social"),
            ("https://news.ycombinator.com/", "Organic Social"),
            ("https://www.pinterest.dk/", "Organic Social"),
            ("https://www.youtube.com/watch?v=1", "Organic Video"),
            ("https://youtu.be/1", "Organic Video"),
            ("https://vimeo.com/1", "Organic Video"),
            ("https://www.amazon.com/", "Organic Shopping"),
            ("https://www.amazon.de/", "Organic Shopping"),
            ("https://www.ebay.co.uk/", "Organic Shopping"),
            ("https://partner.example/page", "Referral"),
            ("http://192.0.2.7:8080/", "Referral"),
            ("partner.example", "Referral"),
            ("m.facebook.com", "Organic Social"),
            ("https://aws.amazon.com/blogs/", "Referral"),
            ("https://docs.aws.amazon.com/", "Referral"),
            ("https://developer.amazon.com/", "Referral"),
            ("https://developers.facebook.com/", "Referral"),
            ("https://developer.x.com/", "Referral"),
            ("https://engineering.linkedin.com/", "Referral"),
            ("https://status.discord.com/", "Referral"),
            ("https://support.tiktok.com/", "Referral"),
            ("https://help.instagram.com/", "Referral"),
            ("https://fi.google.com/", "Referral"),
            ("https://lm.facebook.com/", "Organic Social"),
            ("https://web.facebook.com/", "Organic Social"),
            ("https://m.youtube.com/", "Organic Video"),
            ("https://web.telegram.org/", "Organic Social"),
            ("android-app://org.telegram.messenger/", "Organic Social"),
            ("android-app://com.whatsapp/", "Organic Social"),
            ("android-app://com.facebook.orca/", "Organic Social"),
            ("android-app://com.zhiliaoapp.musically/", "Organic Social"),
            ("android-app://com.instagram.barcelona/", "Organic Social"),
            ("android-app://com.snapchat.android/", "Organic Social"),
            ("android-app://com.discord/", "Organic Social"),
            ("android-app://com.microsoft.bing/", "Organic Search"),
            ("android-app://com.duckduckgo.mobile.android/", "Organic Search"),
            ("android-app://com.yandex.searchapp/", "Organic Search"),
            ("android-app://com.amazon.mShop.android.shopping/", "Organic Shopping"),
            ("https://chatgpt.com/", "AI Assistant"),
            ("https://chat.openai.com/", "AI Assistant"),
            ("https://www.perplexity.ai/", "AI Assistant"),
            ("https://copilot.microsoft.com/", "AI Assistant"),
            ("https://gemini.google.com/", "AI Assistant"),
            ("https://claude.ai/", "AI Assistant"),
            ("android-app://com.openai.chatgpt/", "AI Assistant"),
            ("https://help.openai.com/", "Referral"),
        ] {
            assert_eq!(channel_of(referrer, ["", "", ""]), expected, "{referrer}");
        }
    }

    #[test]
    fn a_tagged_session_is_classified_by_its_campaign() {
        for ((source, medium, campaign), expected) in [
            (("(direct)", "(none)", ""), "Direct"),
            (("(direct)", "(not set)", ""), "Direct"),
            ((" ", "", ""), "Direct"),
            (("google", "", ""), "Organic Search"),
            (("partner", "organic", ""), "Organic Search"),
            (("google", "cpc", ""), "Paid Search"),
            (("Google", "CPC", "Spring"), "Paid Search"),
            (("www.google.de", "ppc", ""), "Paid Search"),
            (("bing", "paidsearch", ""), "Paid Search"),
            (("google", "cpm", ""), "Paid Search"),
            (("google", "cpc", "cross-network"), "Cross-network"),
            (("google", "organic", "Q3 Cross-Network"), "Cross-network"),
            (("facebook", "", ""), "Organic Social"),
            (("fb", "feed", ""), "Organic Social"),
            (("partner", "social", ""), "Organic Social"),
            (("partner", "Social Media", ""), "Organic Social"),
            (("partner", "sm", ""), "Organic Social"),
            (("ig", "paid", ""), "Paid Social"),
            (("linkedin", "retargeting", ""), "Paid Social"),
            (("facebook", "email", ""), "Organic Social"),
            (("youtube", "", ""), "Organic Video"),
            (("partner", "in-video-link", ""), "Organic Video"),
            (("youtube", "CPV", ""), "Paid Video"),
            (("youtube.com", "cpc", ""), "Paid Video"),
            (("amazon", "affiliate", ""), "Organic Shopping"),
            (("amazon", "cpc", ""), "Paid Shopping"),
            (("google", "cpc", "summer shopping"), "Paid Shopping"),
            (("google", "cpc", "eshop"), "Paid Shopping"),
            (("google", "cpc", "workshop"), "Paid Search"),
            (("partner", "post", "my-shop"), "Organic Shopping"),
            (("partner", "post", "Shop"), "Organic Shopping"),
            (("partner", "post", "workshop"), "Unassigned"),
            (("partner", "display", ""), "Display"),
            (("google", "banner", ""), "Display"),
            (("partner", "cpm", ""), "Display"),
            (("partner", "interstitial", ""), "Display"),
            (("partner", "cpc", ""), "Paid Other"),
            (("partner", "paid-video", ""), "Paid Other"),
            (("meta", "paid_social", ""), "Paid Other"),
            (("taboola", "cpc", ""), "Paid Other"),
            (("chatgpt.com", "", ""), "AI Assistant"),
            (("perplexity", "", ""), "AI Assistant"),
            (("chatgpt.com", "cpc", ""), "Paid Other"),
            (("partner", "ai-assistant", ""), "AI Assistant"),
            (("", "", "spring"), "Unassigned"),
            (("newsletter", "email", ""), "Email"),
            (("newsletter", "E-Mail", ""), "Email"),
            (("e_mail", "", ""), "Email"),
            (("", "e mail", ""), "Email"),
            (("newsletter", "", ""), "Unassigned"),
            (("partner", "affiliate", ""), "Affiliates"),
            (("partner", "referral", ""), "Referral"),
            (("partner", "app", ""), "Referral"),
            (("email", "link", ""), "Referral"),
            (("podcast", "audio", ""), "Audio"),
            (("sms", "", ""), "SMS"),
            (("partner", "SMS", ""), "SMS"),
            (("partner", "webpush", ""), "Mobile Push Notifications"),
            (("partner", "mobile-app", ""), "Mobile Push Notifications"),
            (("partner", "notification", ""), "Mobile Push Notifications"),
            (("firebase", "", ""), "Mobile Push Notifications"),
            (("partner", "pushed", ""), "Unassigned"),
            (("partner", "print", ""), "Unassigned"),
        ] {
            assert_eq!(channel_of("", [source, medium, campaign]), expected, "{source} / {medium} / {campaign}");
        }
    }

    #[test]
    fn a_campaign_comes_before_the_referrer() {
        let facebook = "https://l.facebook.com/";
        for (referrer, (source, medium), expected) in [
            (facebook, ("google", "cpc"), "Paid Search"),
            (facebook, ("newsletter", "email"), "Email"),
            (facebook, ("", "cpc"), "Paid Social"),
            (facebook, ("partner", "print"), "Unassigned"),
            ("https://mail.google.com/", ("email", ""), "Email"),
            ("https://mail.google.com/", ("newsletter", ""), "Referral"),
            ("https://www.google.com/", ("partner", ""), "Organic Search"),
            ("https://shop.example/", ("newsletter", ""), "Unassigned"),
        ] {
            assert_eq!(channel_of(referrer, [source, medium, ""]), expected, "{referrer} {source} / {medium}");
        }
    }

    #[test]
    fn the_identifier_of_a_click_tells_an_ad_from_a_result() {
        let google = "https://www.google.com/";
        for (landing_url, referrer, campaign, expected) in [
            ("/?gclid=Cj0KCQ", google, ["", "", ""], "Paid Search"),
            ("/?gclid=Cj0KCQ", "", ["", "", ""], "Paid Search"),
            ("/?gclid=", "", ["", "", ""], "Paid Search"),
            ("/?gclid", "", ["", "", ""], "Paid Search"),
            ("https://shop.example/a?b=c&wbraid=1#d", "", ["", "", ""], "Paid Search"),
            ("/?gbraid=1", google, ["", "", ""], "Paid Search"),
            ("/?gad_source=1", "", ["", "", ""], "Paid Search"),
            ("/?msclkid=1", "https://www.bing.com/", ["", "", ""], "Paid Search"),
            ("/?yclid=1", "https://yandex.ru/", ["", "", ""], "Paid Search"),
            ("/?gclid=1", google, ["google", "cpc", ""], "Paid Search"),
            ("/?gclid=1", google, ["google", "", ""], "Paid Search"),
            ("/?gclid=1", "", ["spring-sale", "", ""], "Paid Search"),
            ("/?gclid=1", "", ["youtube", "", ""], "Paid Video"),
            ("/?gclid=1", "", ["youtube", "cpc", ""], "Paid Video"),
            ("/?gclid=1", google, ["", "", "summer shopping"], "Paid Shopping"),
            ("/?gclid=1", google, ["newsletter", "email", ""], "Email"),
            ("/?fbclid=1", "https://l.facebook.com/", ["", "", ""], "Organic Social"),
            ("/?fbclid=1", "", ["", "", ""], "Direct"),
            ("/#gclid=1", google, ["", "", ""], "Organic Search"),
            ("/gclid=1", google, ["", "", ""], "Organic Search"),
            ("/?my_gclid=1", google, ["", "", ""], "Organic Search"),
        ] {
            assert_eq!(channel_at(landing_url, referrer, campaign), expected, "{landing_url} {referrer} {campaign:?}");
        }
    }

    #[test]
    fn a_referrer_is_known_by_its_host() {
        for (referrer, expected) in [
            ("https://WWW.Partner.Example:8443/a?b#c", Some("partner.example")),
            ("http://user:secret@partner.example/", Some("partner.example")),
            ("https://partner.example./", Some("partner.example")),
            ("https://www2.partner.example/", Some("www2.partner.example")),
            ("https://münchen.example/", Some("xn--mnchen-3ya.example")),
            ("http://[2001:db8::1]/", Some("[2001:db8::1]")),
            ("android-app://com.Slack/", Some("com.slack")),
            ("https://SHOP.example/", None),
            ("https://www.other.example/", None),
            ("partner.example", Some("partner.example")),
            ("www.Partner.example/page?a", Some("partner.example")),
            ("partner.example:8080", Some("partner.example")),
            ("shop.example", None),
            ("partner", None),
            ("partner example.org", None),
            ("mailto:ana@partner.example", None),
            ("ana@partner.example", None),
            ("ftp://partner.example/", None),
            ("about:blank", None),
            ("javascript:alert(1)", None),
            ("https://", None),
            ("android-app:///", None),
            ("", None),
        ] {
            assert_eq!(referrer_host(referrer, &own_hosts()).as_deref(), expected, "{referrer}");
        }
    }

    #[test]
    fn every_row_of_the_data_names_a_category() {
        for (file, names) in [(GOOGLE_LIST, 819), (OUR_HOSTS, 169)] {
            assert!(rows(file).count() >= names);
            for (name, known) in rows(file) {
                assert!(known.is_some() && name == name.trim() && name == name.to_lowercase(), "{name}");
            }
        }
    }

    #[test]
    fn every_channel_has_a_name_of_its_own() {
        let names: std::collections::HashSet<_> = Channel::ALL.map(Channel::name).into();
        assert_eq!(names.len(), Channel::ALL.len());
    }

    proptest! {
        /// Whatever is sent has a channel, and it does not depend on case.
        #[test]
        fn any_text_has_a_channel(
            referrer in r"(https?://|android-app://)?\PC{0,40}",
            source in r"\PC{0,20}|[a-z.]{0,400}",
            medium in r"\PC{0,20}",
            campaign in r"\PC{0,10}(shop)?\PC{0,10}",
        ) {
            let channel = channel_of(&referrer, [&source, &medium, &campaign]);
            prop_assert!(Channel::ALL.iter().any(|known| known.name() == channel));
            let shouted = [&source, &medium, &campaign].map(|text| text.to_ascii_uppercase());
            prop_assert_eq!(channel, channel_of(&referrer, shouted.each_ref().map(String::as_str)));
        }
    }
}
