// Made from docs/openapi.json: npm run types

export interface paths {
    "/api/v1/visitors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Visitors of a range
         * @description The visitors with a session in the range, the one with the newest session there first. All filters have to pass. They look at that newest session; the row shows the visitor as it was last seen.
         */
        get: operations["listVisitors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/visitors/{visitor_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A visitor with its history
         * @description A visitor's profile with its sessions, its events and the site's own names for it. Bots too.
         */
        get: operations["getVisitor"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who is there now
         * @description The visitors with an event or a heartbeat within the last minutes, the latest first: at most 500 rows, or as many as 5 MB hold, while `count` is all of them.
         */
        get: operations["listLiveVisitors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Sessions of a range
         * @description The sessions that started in the range, the newest first. All filters have to pass.
         */
        get: operations["listSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{session_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A session with its timeline
         * @description A session and its events in the order they happened: to replay it, or to find out what went wrong. If several visitors have a session of that ID, it is that of the visitor whom the ID names (`ses_X_…` of `v_X`, as the tracker makes them), else the one that was stored first.
         */
        get: operations["getSession"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Events of a range
         * @description The events that happened in the range, the newest first. All filters have to pass.
         */
        get: operations["listEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/types": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Events by type
         * @description How many events of each type happened in the range, the most frequent first. All types, whatever their number.
         */
        get: operations["listEventTypes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The figures of a range
         * @description Visitors, sessions, page views, bounce rate and durations: what a dashboard shows first. With `interval=day`, the course of each day too.
         */
        get: operations["getStats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/pages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The most viewed pages
         * @description The pages with the most views in the range, and how many pages a session views on average.
         */
        get: operations["getTopPages"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/acquisition": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where sessions come from
         * @description The sessions started in the range by referring host, by campaign parameter and by marketing channel, the most first. A session without a referrer, or referred by one of the project's own hosts, is in no row of `referrers`.
         */
        get: operations["getAcquisition"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audience": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where visitors are, and with what they come
         * @description The sessions started in the range by country, city, browser, operating system, kind of device, language and screen, with their visitors. A visitor is counted once in each list, with its last session of the range. So the `visitors` of a country, a browser or a system are as many as `/visitors` lists with that filter, and texts that differ in case alone are one there as here. Where a session was made and with what, its first batch says. What is not known is a row of its own, with `null`. Of cities, languages and screens a day keeps 2,000 each apart, those with the most visitors; the others are counted as `(other)`. Sessions that were counted before there was this endpoint are missing until the project's figures are rebuilt.
         */
        get: operations["getAudience"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Web Vitals, and how visits go
         * @description How fast and how steady pages are for the people who visit them, as the 75th percentile and rated by web.dev's thresholds, with bounce rate, duration and top pages beside. `p75` is within 1 % in rank.
         */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/insights/frustration": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The most frustrated visitors
         * @description What each visitor suffered in the range, as a score of 1 to 100, the highest first. Visitors who suffered nothing are left out.
         */
        get: operations["getFrustration"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/insights/clicks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Elements clicked in vain
         * @description Where people click again and again (`rage_clicks`), on what does nothing (`dead_clicks`) or on what is gone by then (`phantom_clicks`), by element and page, the most clicks first.
         */
        get: operations["getClicks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/insights/errors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Errors and warnings
         * @description JavaScript errors and console messages by type and message, the most frequent first, with the page of the latest one.
         */
        get: operations["listErrors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/insights/forms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Forms that people leave
         * @description Which forms are begun and left, after which field, and before which fields people pause, the most first.
         */
        get: operations["getForms"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/insights/journeys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Ways through the site
         * @description From which page people go to which, and where their sessions begin and end, the most frequent first. A reload of the same page is no step.
         */
        get: operations["getJourneys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/insights/reading": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How pages are read
         * @description How far and how fast pages are scrolled, and how much of the time they are open somebody really reads them; the most read first.
         */
        get: operations["listReading"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/insights/seo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What search engines will dislike
         * @description Each page's latest diagnostics in the range, the page with the most issues first, and how many of all pages have each issue.
         */
        get: operations["getSeo"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/collect": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a batch
         * @description Takes what a tracker has gathered, whole or not at all. The answer is given once the batch is stored for good; it shows in every figure at most 10 seconds later. The same JSON is taken as `text/plain`, which is what `navigator.sendBeacon` sends and needs no preflight request. Browser, operating system, kind of device and declared bots are read from `User-Agent`, `Sec-CH-UA`, `Sec-CH-UA-Mobile` and `Sec-CH-UA-Platform`, which browsers send by themselves, and full versions from `Sec-CH-UA-Full-Version-List` where a page has them sent.
         */
        post: operations["collectBatch"];
        delete?: never;
        /**
         * May a page send?
         * @description A browser's question before it sends `application/json` from another origin. Every origin may ask; whether it may send is decided by the project.
         */
        options: operations["collectPreflight"];
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/identity.js": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The tracker
         * @description The tracker: page views, sessions, errors and Web Vitals from the first moment, and from `/identity-more.js` beside it what else it can find out. It is compressed as `Accept-Encoding` says.
         */
        get: operations["getScript"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/identity-more.js": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The tracker's second part
         * @description What `/identity.js` fetches from beside itself once the page is idle: clicks, forms, reading, the console, and what search engines would object to. It is of no use by itself.
         */
        get: operations["getMoreScript"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/identity-lite.js": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The light tracker
         * @description Page views, sessions, Web Vitals and events of the site's own, in less than half the size.
         */
        get: operations["getLiteScript"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v/{version}/identity.js": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The tracker of a version
         * @description The same bytes under an address that never has others, so that a page can hold them to a hash with `integrity`. Only the deployed version is there.
         */
        get: operations["getScriptOfVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v/{version}/identity-more.js": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The second part of a version
         * @description As `/v/{version}/identity.js`.
         */
        get: operations["getMoreScriptOfVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v/{version}/identity-lite.js": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The light tracker of a version
         * @description As `/v/{version}/identity.js`.
         */
        get: operations["getLiteScriptOfVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/manage/v1/sign-in": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in
         * @description Takes the token of an invitation's link, which is good once and for 15 minutes, for a cookie, which is good for 30 days from its last use.
         */
        post: operations["signIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/manage/v1/sign-out": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign out
         * @description The cookie is good for nothing from then on.
         */
        post: operations["signOut"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/manage/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who is signed in
         * @description Also prolongs the cookie.
         */
        get: operations["getMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/manage/v1/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A project's keys
         * @description Those that work.
         */
        get: operations["listKeys"];
        put?: never;
        /**
         * Make a key
         * @description It is shown this once.
         */
        post: operations["createKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/manage/v1/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke a key
         * @description It stops working everywhere within a minute, for good.
         */
        delete: operations["revokeKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/manage/v1/keys/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Rotate a key
         * @description Makes a key like another one, and revokes that one.
         */
        post: operations["rotateKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/manage/v1/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The projects
         * @description Those that the admin may manage.
         */
        get: operations["listProjects"];
        put?: never;
        /**
         * Create a project
         * @description Takes an admin of all projects.
         */
        post: operations["createProject"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/manage/v1/projects/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change a project
         * @description What is left out stays. The collector follows within a minute.
         */
        patch: operations["updateProject"];
        trace?: never;
    };
    "/manage/v1/people": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who has access
         * @description Those who may see no more than whoever asks.
         */
        get: operations["listPeople"];
        put?: never;
        /**
         * Invite somebody
         * @description Makes a link that lets somebody in, once and within 15 minutes, to no more than whoever asks may see.
         */
        post: operations["invitePerson"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/manage/v1/people/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Take access away
         * @description At once.
         */
        delete: operations["removePerson"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The dashboard
         * @description The page on which people look at what the API answers. It is compressed as `Accept-Encoding` says.
         */
        get: operations["getDashboard"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/assets/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A file of the dashboard
         * @description Its name has the hash of its bytes, so it never changes.
         */
        get: operations["getAsset"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * This description
         * @description The API's description in OpenAPI 3.1, for documentation and generated clients.
         */
        get: operations["getDescription"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        VisitorsResponse: {
            /** @description The rows of the page. */
            data: components["schemas"]["Visitor"][];
            pagination: components["schemas"]["Pagination"];
            meta?: components["schemas"]["Kept"];
        };
        /** @description A visitor, as it was when last seen. */
        Visitor: {
            /** @description The visitor: a browser, as far as the tracker can tell. */
            visitor_id: string;
            /** @description What the tracker's fingerprint of the browser hashes to. */
            fingerprint_hash: string | null;
            /** @description The earliest sign of it: a session's start, an event or a heartbeat. Unix milliseconds. */
            first_seen_at: number;
            /** @description The latest sign of it. Unix milliseconds. */
            last_seen_at: number;
            /** @description Its sessions, of all time. */
            visit_count: number;
            /** @description The browser, or the app that shows the page, from its `User-Agent` and client hints. */
            browser_name: string | null;
            /** @description The browser's version; of an app that shows the page that of its engine. */
            browser_version: string | null;
            /** @description The operating system, from the `User-Agent` and client hints. */
            os: string | null;
            /** @description 1 on a phone or tablet, else 0. */
            mobile: number | null;
            /** @description The screen's width in pixels. */
            screen_width: number | null;
            /** @description The screen's height in pixels. */
            screen_height: number | null;
            /** @description The time zone that the browser reports. */
            timezone: string | null;
            /** @description The language that the browser reports. */
            language: string | null;
            /** @description The country of its address. */
            geo_country: string | null;
            /** @description The country's code, ISO 3166-1 alpha-2. */
            geo_country_code: string | null;
            /** @description The city of its address. */
            geo_city: string | null;
            /** @description How likely it is a machine. The highest score ever reported counts; over 40 is a bot. */
            bot_score: number;
            /** @description 1 if it blocks advertisements, else 0. */
            ad_block: number | null;
        };
        /** @description What can still be shown. It is there only where something was asked for that is older: figures are kept for ever, single visitors, sessions and events for as long as the project says. */
        Kept: {
            /**
             * Format: date
             * @description The first day of which single visitors, sessions and events are kept. What is older is in no list, and is not found.
             */
            kept_since: string;
        };
        /** @description Where the page stands in the list. */
        Pagination: {
            /** @description Rows of all pages; exact under every filter. */
            total: number;
            /** @description This page. */
            page: number;
            /** @description Rows of a full page, as served. */
            limit: number;
            /** @description Pages; 0 if there are no rows. */
            total_pages: number;
            /** @description Whether there is a page after this one. */
            has_next: boolean;
            /** @description Whether there is a page before this one. */
            has_prev: boolean;
        };
        /** @description 1 to 128 characters of A-Z, a-z, 0-9, _ and -. */
        Identifier: string;
        VisitorResponse: {
            data: components["schemas"]["VisitorDetail"];
            meta?: components["schemas"]["Kept"];
        };
        /** @description A visitor with its history. */
        VisitorDetail: {
            /** @description The visitor: a browser, as far as the tracker can tell. */
            visitor_id: string;
            /** @description What the tracker's fingerprint of the browser hashes to. */
            fingerprint_hash: string | null;
            /** @description The earliest sign of it: a session's start, an event or a heartbeat. Unix milliseconds. */
            first_seen_at: number;
            /** @description The latest sign of it. Unix milliseconds. */
            last_seen_at: number;
            /** @description Its sessions, of all time. */
            visit_count: number;
            /** @description The browser, or the app that shows the page, from its `User-Agent` and client hints. */
            browser_name: string | null;
            /** @description The browser's version; of an app that shows the page that of its engine. */
            browser_version: string | null;
            /** @description The operating system, from the `User-Agent` and client hints. */
            os: string | null;
            /** @description 1 on a phone or tablet, else 0. */
            mobile: number | null;
            /** @description The screen's width in pixels. */
            screen_width: number | null;
            /** @description The screen's height in pixels. */
            screen_height: number | null;
            /** @description The time zone that the browser reports. */
            timezone: string | null;
            /** @description The language that the browser reports. */
            language: string | null;
            /** @description The country of its address. */
            geo_country: string | null;
            /** @description The country's code, ISO 3166-1 alpha-2. */
            geo_country_code: string | null;
            /** @description The city of its address. */
            geo_city: string | null;
            /** @description How likely it is a machine. The highest score ever reported counts; over 40 is a bot. */
            bot_score: number;
            /** @description 1 if it blocks advertisements, else 0. */
            ad_block: number | null;
            /** @description The site's own names for the visitor, such as a customer number, in order of first link. */
            aliases: string[];
            /** @description The newest first, at most 100. */
            sessions: components["schemas"]["VisitorSession"][];
            /** @description The newest first, at most 100. */
            events: components["schemas"]["VisitorEvent"][];
        };
        /** @description A session in its visitor's history. `/sessions/{session_id}` has all of it. */
        VisitorSession: {
            /** @description The session, unique within its visitor. */
            session_id: string;
            /** @description The landing page. */
            url: string | null;
            /** @description When it started. Unix milliseconds. */
            started_at: number;
            /** @description `ended_at` − `started_at`. Milliseconds. */
            duration_ms: number;
        };
        /** @description An event in its visitor's history. `/events` has all of it. */
        VisitorEvent: {
            /** @description Identifies the event within the project. Stable, and exact in JavaScript. */
            id: number;
            /** @description The type: `page_view`, `rage_click`, `js_exception` and so on, or one of the site's own. */
            name: string;
            /** @description What the tracker says about it, as it was sent. */
            data: components["schemas"]["EventData"] | null;
            /** @description When it happened. Unix milliseconds. */
            created_at: number;
        };
        /**
         * @description Anything, in at most 8 KiB of JSON. The insights read these fields, and ignore one of another type than it should have:
         *
         *     | events | fields |
         *     |---|---|
         *     | `page_view` | `url`, `title` |
         *     | `rage_click`, `dead_click`, `phantom_click` | `selector`, `text`, `url` |
         *     | `js_exception`, `promise_rejection`, `console_error`, `console_warning` | `message`, `source`, `line`, `column`, `stack`, `url` |
         *     | `form_abandon` | `form`, `url`, `last_field`, `time_spent_ms` |
         *     | `field_hesitation` | `form`, `field`, `url`, `hesitation_ms` |
         *     | `reading_behavior` | `url`, `scroll_depth`, `active_time_ms`, `total_time_ms`, `scroll_velocity` |
         *     | `seo_diagnostics` | `url`, `title`, `title_length`, `meta_description_length`, `h1_count`, `images_missing_alt`, `issues` |
         *     | `web_vitals` | `url`, `lcp`, `inp`, `fid`, `cls`, `fcp`, `ttfb` (milliseconds; `cls` has no unit) |
         *     | `frustration_score` | `score` |
         */
        EventData: {
            [key: string]: unknown;
        };
        LiveVisitorsResponse: {
            /** @description The visitors. */
            data: components["schemas"]["LiveVisitor"][];
            /** @description How many there are, listed or not. */
            count: number;
        };
        /** @description A visitor who is there now. */
        LiveVisitor: {
            /** @description The visitor. */
            visitor_id: string;
            /** @description The page it was last seen on. */
            current_page: string | null;
            /** @description Its browser. */
            browser_name: string | null;
            /** @description The country of its address. */
            geo_country: string | null;
            /** @description The city of its address. */
            geo_city: string | null;
            /** @description The session it is in. */
            session_id: string;
            /** @description Its latest event or heartbeat. Unix milliseconds. */
            last_seen_at: number;
        };
        SessionsResponse: {
            /** @description The rows of the page. */
            data: components["schemas"]["Session"][];
            pagination: components["schemas"]["Pagination"];
            meta?: components["schemas"]["Kept"];
        };
        /** @description A visit. Device, location and campaign are those it began with. */
        Session: {
            /** @description The session, unique within its visitor. */
            session_id: string;
            /** @description Whose it is. */
            visitor_id: string;
            /** @description The landing page. */
            url: string | null;
            /** @description The address that led there. */
            referrer: string | null;
            /** @description The campaign's source. */
            utm_source: string | null;
            /** @description The campaign's medium. */
            utm_medium: string | null;
            /** @description The campaign's name. */
            utm_campaign: string | null;
            /** @description The campaign's search term. */
            utm_term: string | null;
            /** @description Which of the campaign's links it was. */
            utm_content: string | null;
            /** @description When it started. Unix milliseconds. */
            started_at: number;
            /** @description The latest sign of it: its start, an event or a heartbeat. Unix milliseconds. */
            ended_at: number;
            /** @description `ended_at` − `started_at`. Milliseconds. */
            duration_ms: number;
            /** @description Its `page_view` events. */
            page_views: number;
            /** @description All its events. */
            event_count: number;
            /** @description Clicks: the largest number reported. */
            click_count: number | null;
            /** @description How far down a page was scrolled, in percent: the largest value reported. */
            max_scroll_depth: number | null;
            /** @description The browser it was made with. */
            browser_name: string | null;
            /** @description The operating system it was made on. */
            os: string | null;
            /** @description The country it came from, ISO 3166-1 alpha-2. */
            geo_country_code: string | null;
            /** @description The city it came from. */
            geo_city: string | null;
        };
        SessionResponse: {
            data: components["schemas"]["SessionDetail"];
        };
        /** @description A visit with its timeline. */
        SessionDetail: {
            /** @description The session, unique within its visitor. */
            session_id: string;
            /** @description Whose it is. */
            visitor_id: string;
            /** @description The landing page. */
            url: string | null;
            /** @description The address that led there. */
            referrer: string | null;
            /** @description The campaign's source. */
            utm_source: string | null;
            /** @description The campaign's medium. */
            utm_medium: string | null;
            /** @description The campaign's name. */
            utm_campaign: string | null;
            /** @description The campaign's search term. */
            utm_term: string | null;
            /** @description Which of the campaign's links it was. */
            utm_content: string | null;
            /** @description When it started. Unix milliseconds. */
            started_at: number;
            /** @description The latest sign of it: its start, an event or a heartbeat. Unix milliseconds. */
            ended_at: number;
            /** @description `ended_at` − `started_at`. Milliseconds. */
            duration_ms: number;
            /** @description Its `page_view` events. */
            page_views: number;
            /** @description All its events. */
            event_count: number;
            /** @description Clicks: the largest number reported. */
            click_count: number | null;
            /** @description How far down a page was scrolled, in percent: the largest value reported. */
            max_scroll_depth: number | null;
            /** @description The browser it was made with. */
            browser_name: string | null;
            /** @description The operating system it was made on. */
            os: string | null;
            /** @description The country it came from, ISO 3166-1 alpha-2. */
            geo_country_code: string | null;
            /** @description The city it came from. */
            geo_city: string | null;
            /** @description How many more events were sent when the session was full: it keeps 10,000. */
            dropped_events: number;
            /** @description The first 500, the oldest first, ties in the order they were sent. Where these come to more than 5 MB, as only made-up ones do, there are as many as fit: `event_count` says how many there are, and `/events?session_id=` lists them all. */
            events: components["schemas"]["Event"][];
        };
        /** @description Something that happened in a session. */
        Event: {
            /** @description Identifies the event within the project. Stable, and exact in JavaScript. */
            id: number;
            /** @description The type: `page_view`, `rage_click`, `js_exception` and so on, or one of the site's own. */
            name: string;
            /** @description What the tracker says about it, as it was sent. */
            data: components["schemas"]["EventData"] | null;
            /** @description The page it happened on. */
            url: string | null;
            /** @description When it happened. Unix milliseconds. */
            created_at: number;
            /** @description In which session. */
            session_id: string;
            /** @description Whose it is. */
            visitor_id: string;
        };
        EventsResponse: {
            /** @description The rows of the page. */
            data: components["schemas"]["Event"][];
            pagination: components["schemas"]["Pagination"];
            meta?: components["schemas"]["Kept"];
        };
        EventTypesResponse: {
            data: components["schemas"]["EventType"][];
        };
        /** @description A type and how many events are of it. */
        EventType: {
            /** @description The type. */
            name: string;
            /** @description Events of it. */
            count: number;
        };
        StatsResponse: {
            data: components["schemas"]["Stats"];
        };
        /** @description The figures of a range. */
        Stats: {
            /** @description Distinct visitors with a session in the range; `/visitors` has the same `total`. */
            total_visitors: number;
            /** @description Those whose first session ever is in the range. */
            new_visitors: number;
            /** @description Those who had been there before. */
            returning_visitors: number;
            /** @description Sessions started in the range. */
            total_sessions: number;
            /** @description `page_view` events in the range. */
            total_page_views: number;
            /** @description All events in the range. */
            total_events: number;
            /** @description Percentage of sessions with at most one page view. */
            bounce_rate: number;
            /** @description Average duration of the sessions. Milliseconds. */
            avg_session_duration_ms: number;
            /** @description Page views in the range over sessions started in it. */
            avg_pages_per_session: number;
            period: components["schemas"]["StatsPeriod"];
            /** @description With `interval=day`: one row for each day of the range, from the first that holds any data of the project to today at the latest. */
            series?: components["schemas"]["StatsDay"][];
        };
        /** @description The days that the figures are of. */
        StatsPeriod: {
            /**
             * Format: date
             * @description The first day.
             */
            start_date: string;
            /**
             * Format: date
             * @description The last day, included.
             */
            end_date: string;
        };
        /** @description The figures of a day. */
        StatsDay: {
            /**
             * Format: date
             * @description The day.
             */
            date: string;
            /** @description Distinct visitors with a session on the day. */
            visitors: number;
            /** @description Sessions started on the day. */
            sessions: number;
            /** @description Page views of the day. */
            page_views: number;
            /** @description Events of the day. */
            events: number;
        };
        PagesResponse: {
            data: components["schemas"]["Pages"];
        };
        /** @description The most viewed pages, and how many a visit has. */
        Pages: {
            /** @description The most viewed first. */
            top_pages: components["schemas"]["TopPage"][];
            /** @description Page views in the range over sessions started in it. */
            avg_pages_per_session: number;
        };
        /** @description A page and its audience. */
        TopPage: {
            /** @description The page. */
            url: string;
            /** @description `page_view` events of the page in the range. */
            views: number;
            /** @description Distinct visitors who viewed it in the range. */
            unique_visitors: number;
        };
        AcquisitionResponse: {
            data: components["schemas"]["Acquisition"];
        };
        /** @description Where sessions come from. */
        Acquisition: {
            /** @description By referring host. */
            referrers: components["schemas"]["ReferrerSessions"][];
            utm: components["schemas"]["Campaigns"];
            /** @description By channel. Each session has one. */
            channels: components["schemas"]["ChannelSessions"][];
        };
        /** @description A referring host. */
        ReferrerSessions: {
            /** @description The host, without `www.`. */
            referrer: string;
            /** @description Sessions that came from it. */
            sessions: number;
        };
        /** @description By campaign parameter. */
        Campaigns: {
            /** @description By `utm_source`. */
            source: components["schemas"]["CampaignSessions"][];
            /** @description By `utm_medium`. */
            medium: components["schemas"]["CampaignSessions"][];
            /** @description By `utm_campaign`. */
            campaign: components["schemas"]["CampaignSessions"][];
            /** @description By `utm_term`. */
            term: components["schemas"]["CampaignSessions"][];
            /** @description By `utm_content`. */
            content: components["schemas"]["CampaignSessions"][];
        };
        /** @description A value of a campaign parameter. */
        CampaignSessions: {
            /** @description The parameter's value. */
            value: string;
            /** @description Sessions with it. */
            sessions: number;
        };
        /** @description A marketing channel. */
        ChannelSessions: {
            channel: components["schemas"]["Channel"];
            /** @description Sessions that came by it. */
            sessions: number;
            /** @description Their percentage of all sessions in the range. */
            share: number;
        };
        /**
         * @description The channel, by the names and rules of GA4's default channel group. The identifier of an ad's click in the landing page's address (`gclid` and its like) makes paid search.
         * @enum {string}
         */
        Channel: "Direct" | "Organic Search" | "Paid Search" | "Organic Social" | "Paid Social" | "Email" | "Referral" | "Display" | "Affiliates" | "Organic Video" | "Paid Video" | "Organic Shopping" | "Paid Shopping" | "Audio" | "SMS" | "Mobile Push Notifications" | "Unassigned" | "AI Assistant" | "Paid Other" | "Cross-network";
        AudienceResponse: {
            data: components["schemas"]["Audience"];
        };
        /** @description Each list by visitors, then by sessions, the most first, then by its text. */
        Audience: {
            /** @description By country. */
            countries: components["schemas"]["CountryAudience"][];
            /** @description By city. */
            cities: components["schemas"]["CityAudience"][];
            /** @description By browser. */
            browsers: components["schemas"]["BrowserAudience"][];
            /** @description By operating system. */
            systems: components["schemas"]["SystemAudience"][];
            /** @description By kind of device. */
            devices: components["schemas"]["DeviceAudience"][];
            /** @description By language. */
            languages: components["schemas"]["LanguageAudience"][];
            /** @description By the size of the screen. */
            screens: components["schemas"]["ScreenAudience"][];
        };
        /** @description A country and who is there. */
        CountryAudience: {
            /** @description ISO 3166-1 alpha-2. */
            country_code: string | null;
            /** @description The country's English name. */
            country: string | null;
            /** @description Visitors whose last session of the range is among these. */
            visitors: number;
            /** @description Sessions started in the range. */
            sessions: number;
        };
        /** @description A city and who is there. */
        CityAudience: {
            /** @description The city's name. */
            city: string | null;
            /** @description ISO 3166-1 alpha-2, of its country. */
            country_code: string | null;
            /** @description Visitors whose last session of the range is among these. */
            visitors: number;
            /** @description Sessions started in the range. */
            sessions: number;
        };
        /** @description A browser and who comes with it. */
        BrowserAudience: {
            /** @description The browser's name. */
            browser: string | null;
            /** @description Visitors whose last session of the range is among these. */
            visitors: number;
            /** @description Sessions started in the range. */
            sessions: number;
        };
        /** @description An operating system and who comes with it. */
        SystemAudience: {
            /** @description The operating system. */
            os: string | null;
            /** @description Visitors whose last session of the range is among these. */
            visitors: number;
            /** @description Sessions started in the range. */
            sessions: number;
        };
        /** @description A kind of device and who comes with it. */
        DeviceAudience: {
            /** @description `mobile`, which phones and tablets are, or `desktop`. */
            device: components["schemas"]["Device"] | null;
            /** @description Visitors whose last session of the range is among these. */
            visitors: number;
            /** @description Sessions started in the range. */
            sessions: number;
        };
        /**
         * @description What a visitor holds.
         * @enum {string}
         */
        Device: "mobile" | "desktop";
        /** @description A language and who reads it. */
        LanguageAudience: {
            /** @description The first subtag of the browser's language, in lower case. */
            language: string | null;
            /** @description Visitors whose last session of the range is among these. */
            visitors: number;
            /** @description Sessions started in the range. */
            sessions: number;
        };
        /** @description A size of the screen and who has it. */
        ScreenAudience: {
            /** @description Width and height in pixels, as `1920x1080`. */
            screen: string | null;
            /** @description Visitors whose last session of the range is among these. */
            visitors: number;
            /** @description Sessions started in the range. */
            sessions: number;
        };
        MetricsResponse: {
            data: components["schemas"]["Metrics"];
        };
        /** @description How fast pages are, and how visits go. */
        Metrics: {
            web_vitals: components["schemas"]["WebVitals"];
            /** @description Average duration of the sessions. Milliseconds. */
            avg_session_duration_ms: number;
            /** @description Percentage of sessions with at most one page view. */
            bounce_rate: number;
            /** @description The most viewed pages. */
            top_pages: components["schemas"]["TopPage"][];
        };
        /** @description The Web Vitals by name. A map, since a property `cls` can be none in the classes of some clients. */
        WebVitals: {
            [key: string]: components["schemas"]["WebVital"];
        };
        /** @description A metric of Web Vitals. */
        WebVital: {
            /** @description The 75th percentile: three quarters of the samples are no worse. `null` without samples. */
            p75: number | null;
            /** @description How many measurements. */
            samples: number;
            /** @description Samples that web.dev calls good. */
            good: number;
            /** @description Samples between good and poor. */
            needs_improvement: number;
            /** @description Samples that web.dev calls poor. */
            poor: number;
        };
        FrustrationResponse: {
            data: components["schemas"]["Frustration"];
            meta?: components["schemas"]["Kept"];
        };
        /** @description How frustrated visitors were. */
        Frustration: {
            /** @description The highest first. */
            scores: components["schemas"]["FrustrationScore"][];
            average: components["schemas"]["FrustrationAverage"];
        };
        /** @description What a visitor suffered in the range. */
        FrustrationScore: {
            /** @description The visitor. */
            visitor_id: string;
            /** @description 10 a rage click, 4 a dead click, 8 an error, 12 an abandoned form, 6 a rapid navigation; at most 100. */
            score: number;
            /** @description `rage_click` events. */
            rage_clicks: number;
            /** @description `dead_click` events. */
            dead_clicks: number;
            /** @description `js_exception` and `promise_rejection` events. */
            errors: number;
            /** @description `form_abandon` events. */
            form_abandons: number;
            /** @description Page views at most 2 seconds after the session's previous one. */
            rapid_navigations: number;
        };
        /** @description All visitors with a score. */
        FrustrationAverage: {
            /** @description The average score of all visitors with one, listed or not. */
            avg_score: number;
            /** @description How many those are. */
            visitor_count: number;
        };
        ClicksResponse: {
            data: components["schemas"]["Clicks"];
        };
        /** @description Elements clicked in vain. */
        Clicks: {
            /** @description Repeated fast clicks. */
            rage_clicks: components["schemas"]["ClickIssue"][];
            /** @description Clicks on what does not react. */
            dead_clicks: components["schemas"]["ClickIssue"][];
            /** @description Clicks on what was gone. */
            phantom_clicks: components["schemas"]["ClickIssue"][];
        };
        /** @description An element that is clicked in vain. */
        ClickIssue: {
            /** @description The element, as a CSS selector. */
            selector: string | null;
            /** @description The page it is on. */
            url: string | null;
            /** @description How many such clicks. */
            count: number;
            /** @description Of how many distinct visitors. */
            unique_visitors: number;
        };
        ErrorGroupsResponse: {
            data: components["schemas"]["ErrorGroup"][];
        };
        /** @description Errors of one type and message. */
        ErrorGroup: {
            /** @description `js_exception`, `promise_rejection`, `console_error` or `console_warning`. */
            type: string;
            /** @description The message's first 256 characters. */
            message: string | null;
            /** @description How often it happened. */
            count: number;
            /** @description To how many distinct visitors. */
            unique_visitors: number;
            /** @description When it happened first in the range. Unix milliseconds. */
            first_seen_at: number;
            /** @description When it happened last in the range. Unix milliseconds. */
            last_seen_at: number;
            /** @description The page it happened on last. */
            url: string | null;
        };
        FormsResponse: {
            data: components["schemas"]["Forms"];
        };
        /** @description Forms that were left, and fields that made people hesitate. */
        Forms: {
            /** @description By form and page. */
            abandonment: components["schemas"]["FormAbandonment"][];
            /** @description By form, field and page. */
            hesitation: components["schemas"]["FieldHesitation"][];
        };
        /** @description A form that people leave. */
        FormAbandonment: {
            /** @description The form. */
            form: string | null;
            /** @description The page it is on. */
            url: string | null;
            /** @description How often it was begun and left. */
            abandons: number;
            /** @description Average time spent in it before. Milliseconds. */
            avg_time_spent_ms: number;
            /** @description The field most often used last: where people give up. */
            last_field: string | null;
        };
        /** @description A field before which people pause. */
        FieldHesitation: {
            /** @description The form. */
            form: string | null;
            /** @description The field. */
            field: string | null;
            /** @description The page they are on. */
            url: string | null;
            /** @description How often somebody hesitated. */
            count: number;
            /** @description Average pause before typing. Milliseconds. */
            avg_hesitation_ms: number;
        };
        JourneysResponse: {
            data: components["schemas"]["Journeys"];
        };
        /** @description Ways through the site. */
        Journeys: {
            /** @description Steps made in the range. */
            transitions: components["schemas"]["Transition"][];
            /** @description First pages of the sessions started in the range. */
            entry_pages: components["schemas"]["PageCount"][];
            /** @description Last pages of the sessions started in the range. */
            exit_pages: components["schemas"]["PageCount"][];
        };
        /** @description Two different pages viewed one after the other in a session. */
        Transition: {
            /** @description The page that was left. */
            from: string;
            /** @description The page viewed next. */
            to: string | null;
            /** @description How often. */
            count: number;
        };
        /** @description A page and a number of sessions. */
        PageCount: {
            /** @description The page. */
            url: string;
            /** @description In how many sessions. */
            count: number;
        };
        ReadingResponse: {
            data: components["schemas"]["Reading"][];
        };
        /** @description How a page is read. */
        Reading: {
            /** @description The page. */
            url: string;
            /** @description `reading_behavior` events of the page. */
            reads: number;
            /** @description How far down it is scrolled on average, in percent. More than 100 counts as 100. */
            avg_scroll_depth: number;
            /** @description How long it is really read on average. Milliseconds. */
            avg_active_time_ms: number;
            /** @description How fast it is scrolled on average, in the tracker's unit. */
            avg_scroll_velocity: number;
            /** @description Active time in percent of the time it was open. A read's active time counts up to the time it was open. */
            attention_percent: number;
        };
        SeoResponse: {
            data: components["schemas"]["Seo"];
        };
        /** @description What search engines will dislike. */
        Seo: {
            /** @description The most issues first. */
            pages: components["schemas"]["SeoPage"][];
            /** @description The most pages first. */
            issues: components["schemas"]["SeoIssue"][];
        };
        /** @description A page's latest diagnostics. */
        SeoPage: {
            /** @description The page. */
            url: string;
            /** @description Its title. */
            title: string | null;
            /** @description Characters of the title. */
            title_length: number | null;
            /** @description Characters of the description in its head. */
            meta_description_length: number | null;
            /** @description Its main headings; one is right. */
            h1_count: number | null;
            /** @description Images without an alternative text. */
            images_missing_alt: number | null;
            /** @description The tracker's codes of what is wrong. */
            issues: string[];
            /** @description When it was checked last in the range. Unix milliseconds. */
            checked_at: number;
        };
        /** @description An issue and how many pages have it. */
        SeoIssue: {
            /** @description The tracker's code. */
            issue: string;
            /** @description Pages that have it. */
            pages: number;
        };
        /** @description What a tracker sends at a time: at most 64 KiB. Fields that are not described are ignored. */
        Batch: {
            /** @description The project's public key. It stands in the body, since a beacon can set no header. */
            key: string;
            /** @description The client's own, unique within the session. A batch sent again is answered the same and changes nothing. */
            batch_id: components["schemas"]["Identifier"];
            /** @description The client's clock as it sends. Where it is more than 2 seconds off the server's, all instants of the batch are moved by the difference. */
            sent_at: components["schemas"]["SentInstant"];
            /** @description The page it is sent from: that of events that name none. */
            page?: string | null;
            visitor: components["schemas"]["BatchVisitor"];
            session: components["schemas"]["BatchSession"];
            /** @description What happened. None is a heartbeat: the visitor is still there. */
            events?: components["schemas"]["BatchEvent"][] | null;
        };
        /** @description Unix milliseconds. */
        Instant: number;
        /** @description Unix milliseconds, not seconds. A fraction is rounded. */
        SentInstant: number;
        /** @description Who sends it. Fractions are rounded. Browser, operating system, location and address are the server's to find out. */
        BatchVisitor: {
            /** @description The visitor, in 1 to 128 characters of A-Z, a-z, 0-9, _ and -. Without one the server makes one of the client's address, its `User-Agent` and `fingerprint_hash`, with a secret that it deletes when the day (UTC) is over. It is the same in all sessions that begin on that day, and nothing connects it with that of another day. */
            visitor_id?: string | null;
            /** @description What the browser's fingerprint hashes to. Without a `visitor_id`, it tells clients of one address and one kind apart. */
            fingerprint_hash?: string | null;
            /** @description Pixels. */
            screen_width?: number | null;
            /** @description Pixels. */
            screen_height?: number | null;
            /** @description An IANA name. */
            timezone?: string | null;
            /** @description A BCP 47 tag. */
            language?: string | null;
            /** @description 1 if advertisements are blocked, else 0. */
            ad_block?: number | null;
            /** @description How likely it is a machine. The server's own judgement counts where it is higher: 100 for a crawler, a monitor, a program or a headless browser that its `User-Agent` or client hints declare. */
            bot_score?: number | null;
            /** @description The site's own names for the visitor, such as a customer number. */
            aliases?: string[] | null;
        };
        /** @description In which visit. Fractions are rounded. What it began with is taken from the first of its batches that is stored. */
        BatchSession: {
            /** @description The visit, unique within its visitor. One of the form `ses_X_T`, with the visitor `v_X` and `started_at` as `T`, in base 36 and lower case, is found without anything else being stored for it: that saves two write units a session. */
            session_id: components["schemas"]["Identifier"];
            /** @description When it started: at most 5 minutes ahead of the server's clock. The same in each of its batches. */
            started_at: components["schemas"]["SentInstant"];
            /** @description The landing page. */
            url?: string | null;
            /** @description `document.referrer` on the landing page. It is stored without user, password, query and fragment. */
            referrer?: string | null;
            /** @description `utm_source` of the landing page. */
            utm_source?: string | null;
            /** @description `utm_medium` of the landing page. */
            utm_medium?: string | null;
            /** @description `utm_campaign` of the landing page. */
            utm_campaign?: string | null;
            /** @description `utm_term` of the landing page. */
            utm_term?: string | null;
            /** @description `utm_content` of the landing page. */
            utm_content?: string | null;
            /** @description Clicks so far. */
            click_count?: number | null;
            /** @description How far down a page was scrolled so far, in percent. */
            max_scroll_depth?: number | null;
        };
        /** @description Something that happened. */
        BatchEvent: {
            /** @description The type. */
            name: string;
            /** @description The page it happened on. Without one it is `data.url`, else the batch's `page`. */
            url?: string | null;
            /** @description When it happened: at most 7 days back and 5 minutes ahead of the server's clock. */
            created_at: components["schemas"]["SentInstant"];
            data?: components["schemas"]["EventData"] | null;
        };
        CollectResponse: {
            data: components["schemas"]["Collected"];
        };
        /** @description What became of a batch. */
        Collected: {
            /** @description How many events the batch holds. */
            accepted: number;
        };
        /** @description What a link carries. */
        SignInRequest: {
            /** @description What follows `#/sign-in/` in the link. */
            token: string;
        };
        PersonResponse: {
            data: components["schemas"]["Person"];
        };
        /** @description Who is signed in. */
        Person: {
            /** @description Identifies the person: each sign-in is one. */
            id: string;
            label: string;
            role: components["schemas"]["Role"];
            /** @description The projects that the person may see; `null` is all. */
            projects: string[] | null;
        };
        /**
         * @description A viewer looks at figures; an admin manages projects, keys and people, too.
         * @enum {string}
         */
        Role: "admin" | "viewer";
        MeResponse: {
            data: components["schemas"]["Me"];
        };
        /** @description Who is signed in, and what they may see. */
        Me: {
            /** @description Identifies the person: each sign-in is one. */
            id: string;
            label: string;
            role: components["schemas"]["Role"];
            /** @description The projects that the person may see; `null` is all. */
            projects: string[] | null;
            visible_projects: components["schemas"]["VisibleProject"][];
        };
        /** @description A project that somebody may see. */
        VisibleProject: {
            id: string;
            name: string;
        };
        KeysResponse: {
            data: components["schemas"]["Key"][];
        };
        /** @description A key, of which only the hash is kept. */
        Key: {
            id: string;
            kind: components["schemas"]["KeyKind"];
            label: string | null;
            /** @description Requests a minute; `null` for a public key. */
            rate_limit: number | null;
            created_at: components["schemas"]["Instant"];
            /** @description `null` for a public key, whose use is not noted, and for one that was never used. */
            last_used_at: components["schemas"]["Instant"] | null;
            /** @description How the key begins. */
            hint: string;
        };
        /**
         * @description A secret key reads, a public key sends.
         * @enum {string}
         */
        KeyKind: "secret" | "public";
        KeyRequest: components["schemas"]["SecretKeyRequest"] | components["schemas"]["PublicKeyRequest"];
        /** @description A secret key. */
        SecretKeyRequest: {
            project: string;
            /** @constant */
            kind: "secret";
            label?: string | null;
            /** @default 60 */
            rate_limit: number | null;
        };
        /** @description A public key. */
        PublicKeyRequest: {
            project: string;
            /** @constant */
            kind: "public";
            label?: string | null;
        };
        NewKeyResponse: {
            data: components["schemas"]["NewKey"];
        };
        /** @description A key right after it was made: the only answer that has it. */
        NewKey: {
            id: string;
            kind: components["schemas"]["KeyKind"];
            label: string | null;
            /** @description Requests a minute; `null` for a public key. */
            rate_limit: number | null;
            created_at: components["schemas"]["Instant"];
            /** @description `null` for a public key, whose use is not noted, and for one that was never used. */
            last_used_at: components["schemas"]["Instant"] | null;
            /** @description How the key begins. */
            hint: string;
            /** @description The key itself. It is never shown again. */
            key: string;
        };
        ProjectsResponse: {
            data: components["schemas"]["Project"][];
        };
        /** @description A project, whose data is apart from all others'. */
        Project: {
            id: string;
            name: string;
            hosts: string[];
            origins: string[];
            /** @description For how many days batches and single visitors are kept; 0 is for ever, and null as long as the deployment says. */
            retention_days: number | null;
            created_at: components["schemas"]["Instant"];
        };
        ProjectRequest: {
            id: string;
            name?: string | null;
            /** @description The site's own hosts, which are no referrers: `shop.example`, or `*.shop.example` for all its subdomains. They are stored as browsers send them, in Punycode. */
            hosts?: string[] | null;
            /** @description The origins whose pages may send data; none is any: `https://shop.example`, or `https://*.shop.example` for those of all subdomains. They are stored as browsers send them, in Punycode and without a default port. */
            origins?: string[] | null;
            /** @description For how many days batches and single visitors are kept: 30 or more, or 0 for ever. What a shorter time leaves out is not shown from then on, and a longer one brings nothing back. */
            retention_days?: ((number | null | 0 | unknown) | null) | null | 0 | unknown;
        };
        ProjectResponse: {
            data: components["schemas"]["Project"];
        };
        ProjectChanges: {
            name?: string | null;
            /** @description The site's own hosts, which are no referrers: `shop.example`, or `*.shop.example` for all its subdomains. They are stored as browsers send them, in Punycode. */
            hosts?: string[] | null;
            /** @description The origins whose pages may send data; none is any: `https://shop.example`, or `https://*.shop.example` for those of all subdomains. They are stored as browsers send them, in Punycode and without a default port. */
            origins?: string[] | null;
            /** @description For how many days batches and single visitors are kept: 30 or more, or 0 for ever. What a shorter time leaves out is not shown from then on, and a longer one brings nothing back. */
            retention_days?: ((number | null | 0 | unknown) | null) | null | 0 | unknown;
        };
        PeopleResponse: {
            data: components["schemas"]["KnownPerson"][];
        };
        /** @description Somebody who has access. */
        KnownPerson: {
            /** @description Identifies the person: each sign-in is one. */
            id: string;
            label: string;
            role: components["schemas"]["Role"];
            /** @description The projects that the person may see; `null` is all. */
            projects: string[] | null;
            /** @description When they opened their link. */
            signed_in_at: components["schemas"]["Instant"] | null;
            /** @description When they last asked for anything. */
            last_seen_at: components["schemas"]["Instant"] | null;
        };
        InvitationRequest: {
            label: string;
            /** @default viewer */
            role: components["schemas"]["Role"];
            /** @description The projects that the person may see; `null`, or nothing, is all. */
            projects?: string[] | null;
        };
        InvitationResponse: {
            data: components["schemas"]["Invitation"];
        };
        /** @description A link that lets somebody in, once. */
        Invitation: {
            label: string;
            role: components["schemas"]["Role"];
            /** @description The projects that the person may see; `null` is all. */
            projects: string[] | null;
            /** Format: uri */
            link: string;
            expires_at: components["schemas"]["Instant"];
        };
        /** @description A description in OpenAPI 3.1. */
        OpenApiDocument: {
            openapi: string;
            info: {
                [key: string]: unknown;
            };
            paths: {
                [key: string]: unknown;
            };
        } & {
            [key: string]: unknown;
        };
        /** @description The one shape of errors. */
        ErrorResponse: {
            error: components["schemas"]["Error"];
        };
        /** @description What went wrong. */
        Error: {
            /** @description The HTTP status. */
            status: number;
            /** @description What is wrong, and what to do about it. */
            message: string;
            code: components["schemas"]["ErrorCode"];
        };
        /**
         * @description What is wrong, for programs.
         * @enum {string}
         */
        ErrorCode: "invalid_date" | "invalid_parameter" | "invalid_body" | "invalid_request" | "unauthorized" | "origin_not_allowed" | "forbidden" | "not_found" | "method_not_allowed" | "conflict" | "payload_too_large" | "rate_limited" | "internal_error" | "unavailable";
    };
    responses: {
        /** @description A date that is none, or a range that ends before it starts. */
        InvalidDate: {
            headers: {
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description A date that is none, a range that ends before it starts, or a number that is none. */
        InvalidDateOrParameter: {
            headers: {
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description A number that is none, or is too small or too large. */
        InvalidParameter: {
            headers: {
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description No key, or one that is unknown, revoked or public. */
        Unauthorized: {
            headers: {
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description No cookie, or one that is over or was taken away. */
        SignedOut: {
            headers: {
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description The link is wrong, was used, or is too old. */
        BadInvitation: {
            headers: {
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description It takes an admin, or an admin of all projects; or the request is not of the dashboard's own page. */
        ForbiddenManagement: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description The request is not of the dashboard's own page: `Sec-Fetch-Site` or `Origin` says so, or the content type is not JSON. */
        OtherPage: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description A body that is no JSON, or a field that breaks a rule; `message` names it. */
        InvalidManagementBody: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description A body of more than 64 KB. */
        ManagementBodyTooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description There is no such project, or the person has no right to it. */
        UnknownProject: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description There is no such key that works, or the person has no right to its project. */
        UnknownKey: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description Nobody with this identifier has access, or they may see more than whoever asks. */
        UnknownPerson: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description There is no such file: another version is deployed. */
        UnknownAsset: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description Somebody else rotated or revoked the key at the same time. */
        KeyChanged: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description There is a project with this identifier. */
        ProjectExists: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description The path takes no such method. */
        ManagementMethodNotAllowed: {
            headers: {
                Allow: components["headers"]["Allow"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description The person's bucket of 600 requests a minute is empty. */
        PersonRateLimited: {
            headers: {
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description The client has it already. */
        DashboardUnchanged: {
            headers: {
                ETag: components["headers"]["ETag"];
                Vary: components["headers"]["Script-Vary"];
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The project has no such visitor. */
        UnknownVisitor: {
            headers: {
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description The script. */
        Script: {
            headers: {
                /** @description It may be kept for an hour, and used for a day while it is asked for again. */
                "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400";
                ETag: components["headers"]["ETag"];
                Vary: components["headers"]["Script-Vary"];
                "Cross-Origin-Resource-Policy": components["headers"]["Cross-Origin-Resource-Policy"];
                "Access-Control-Allow-Origin": components["headers"]["Open-Origin"];
                [name: string]: unknown;
            };
            content: {
                "text/javascript; charset=utf-8": string;
            };
        };
        /** @description The client holds it already. */
        ScriptUnchanged: {
            headers: {
                /** @description It may be kept for an hour, and used for a day while it is asked for again. */
                "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400";
                ETag: components["headers"]["ETag"];
                Vary: components["headers"]["Script-Vary"];
                "Cross-Origin-Resource-Policy": components["headers"]["Cross-Origin-Resource-Policy"];
                "Access-Control-Allow-Origin": components["headers"]["Open-Origin"];
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The script. */
        VersionedScript: {
            headers: {
                /** @description It never changes. */
                "Cache-Control": "max-age=31536000, immutable";
                ETag: components["headers"]["ETag"];
                Vary: components["headers"]["Script-Vary"];
                "Cross-Origin-Resource-Policy": components["headers"]["Cross-Origin-Resource-Policy"];
                "Access-Control-Allow-Origin": components["headers"]["Open-Origin"];
                [name: string]: unknown;
            };
            content: {
                "text/javascript; charset=utf-8": string;
            };
        };
        /** @description The client holds it already. */
        VersionedScriptUnchanged: {
            headers: {
                /** @description It never changes. */
                "Cache-Control": "max-age=31536000, immutable";
                ETag: components["headers"]["ETag"];
                Vary: components["headers"]["Script-Vary"];
                "Cross-Origin-Resource-Policy": components["headers"]["Cross-Origin-Resource-Policy"];
                "Access-Control-Allow-Origin": components["headers"]["Open-Origin"];
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description Another version is deployed. */
        UnknownVersion: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description The project has no such session. */
        UnknownSession: {
            headers: {
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description The path takes no such method. No key is needed to be told so. */
        MethodNotAllowed: {
            headers: {
                Allow: components["headers"]["Allow"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description The key's bucket is empty. */
        RateLimited: {
            headers: {
                "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                RateLimit: components["headers"]["RateLimit"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description Something failed that should not. The log has the cause. */
        InternalError: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description The table can't be reached or is throttled. Nothing was changed. */
        Unavailable: {
            headers: {
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description A body that is no JSON, or a field that breaks a rule; `message` names it. */
        InvalidBatch: {
            headers: {
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description A key that is unknown, revoked or secret. */
        UnauthorizedBatch: {
            headers: {
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                "WWW-Authenticate": components["headers"]["WWW-Authenticate"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description The project lists its origins, and the page's is none of them. */
        OriginNotAllowed: {
            headers: {
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description A body of more than 64 KiB. */
        BatchTooLarge: {
            headers: {
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description Far more batches of one key or client than people cause, or batches of one client with far more different texts and pages. */
        Throttled: {
            headers: {
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                "Access-Control-Expose-Headers": components["headers"]["Access-Control-Expose-Headers"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description The collector takes no such method. */
        BatchMethodNotAllowed: {
            headers: {
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                Allow: components["headers"]["Allow"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description Something failed that should not. The batch may be sent again. */
        BatchInternalError: {
            headers: {
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description The table can't be reached or is throttled. The batch was not stored; send it again. */
        BatchUnavailable: {
            headers: {
                "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                "Access-Control-Expose-Headers": components["headers"]["Access-Control-Expose-Headers"];
                "Retry-After": components["headers"]["Retry-After"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
    };
    parameters: {
        /**
         * @description The project.
         * @example demo
         */
        project: string;
        /**
         * @description The project.
         * @example demo
         */
        project_id: string;
        /**
         * @description The key's `id`.
         * @example c5c4aacb51bf
         */
        key_id: string;
        /**
         * @description The person's `id`.
         * @example 3fa94c0d11e2
         */
        person_id: string;
        /**
         * @description The file, as the document names it.
         * @example app-DKOQ2F5T.js
         */
        asset: string;
        /**
         * @description Which page. One past the end is empty.
         * @example 1
         */
        page: number;
        /**
         * @description Rows a page. More than 100 is served as 100; what no JavaScript number holds is refused.
         * @example 50
         */
        limit: number;
        /**
         * @description Rows of each ranking. More than 100 is served as 100.
         * @example 10
         */
        ranking_limit: number;
        /**
         * @description The first day, UTC. Without it, the 30th day back from `end_date`, that one included. Not after `end_date`.
         * @example 2025-01-01
         */
        start_date: string;
        /**
         * @description The last day, UTC, included. Without it, today, or `start_date` where that is tomorrow, as it is east of UTC.
         * @example 2025-01-31
         */
        end_date: string;
        /**
         * @description Only visits made with this browser, ignoring case.
         * @example Chrome
         */
        browser: string;
        /**
         * @description Only visits made on this operating system, ignoring case.
         * @example Windows
         */
        os: string;
        /**
         * @description Only visits from the country with this code, ignoring case.
         * @example RS
         */
        country: string;
        /**
         * @description Only visitors whose ID, browser, operating system, country, country code, city or IP address contains this, ignoring case.
         * @example belgrade
         */
        search: string;
        /**
         * @description Only of this visitor, even if it is a bot.
         * @example v_a1b2c3d4e5f6
         */
        visitor_id_filter: string;
        /**
         * @description Only of this session, even if it is a bot's.
         * @example ses_abc123
         */
        session_id_filter: string;
        /**
         * @description Only sessions whose landing page contains this, ignoring case.
         * @example /pricing
         */
        landing_url: string;
        /**
         * @description Only events of this type.
         * @example rage_click
         */
        event_type: string;
        /**
         * @description `day` adds `series`, the figures of each day.
         * @example day
         */
        interval: "day";
        /**
         * @description How many minutes ago the latest sign of a visitor may be.
         * @example 5
         */
        threshold_minutes: number;
        /**
         * @description The visitor.
         * @example v_a1b2c3d4e5f6
         */
        visitor_id: components["schemas"]["Identifier"];
        /**
         * @description The deployed tracker's version.
         * @example 0.1.0
         */
        version: string;
        /**
         * @description The `ETag` of what the client holds.
         * @example "0f343b0931126a20f133d67c2b018a3b"
         */
        if_none_match: string;
        /**
         * @description The session.
         * @example ses_abc123
         */
        session_id: components["schemas"]["Identifier"];
    };
    requestBodies: never;
    headers: {
        /** @description The cookie, which scripts don't see and no other site's page sends. */
        "Set-Cookie": string;
        /** @description What the page may do: nothing but show this host's files and ask this host. */
        "Content-Security-Policy": string;
        /** @description Stands for these bytes in this encoding. */
        ETag: string;
        /** @description Each encoding is kept apart. */
        "Script-Vary": "Accept-Encoding";
        /** @description Pages of any site may embed it. */
        "Cross-Origin-Resource-Policy": "cross-origin";
        /** @description Any page may read it. */
        "Open-Origin": "*";
        /**
         * @description The key's limit: `q` requests in `w` seconds.
         * @example "default";q=60;w=60
         */
        "RateLimit-Policy": string;
        /**
         * @description What is left: `r` requests now, one more in `t` seconds.
         * @example "default";r=59;t=1
         */
        RateLimit: string;
        /**
         * @description How many seconds to wait.
         * @example 1
         */
        "Retry-After": number;
        /**
         * @description The methods that the path takes.
         * @example GET, HEAD
         */
        Allow: "GET, HEAD" | "POST, OPTIONS";
        /**
         * @description How to authenticate.
         * @example Bearer
         */
        "WWW-Authenticate": "Bearer";
        /**
         * @description Which pages may read the answer: all, or those of the origin that asked, if the project lists its origins.
         * @example *
         */
        "Access-Control-Allow-Origin": string;
        /** @description What else pages may read. */
        "Access-Control-Expose-Headers": "Retry-After";
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listVisitors: {
        parameters: {
            query?: {
                /**
                 * @description Which page. One past the end is empty.
                 * @example 1
                 */
                page?: components["parameters"]["page"];
                /**
                 * @description Rows a page. More than 100 is served as 100; what no JavaScript number holds is refused.
                 * @example 50
                 */
                limit?: components["parameters"]["limit"];
                /**
                 * @description The first day, UTC. Without it, the 30th day back from `end_date`, that one included. Not after `end_date`.
                 * @example 2025-01-01
                 */
                start_date?: components["parameters"]["start_date"];
                /**
                 * @description The last day, UTC, included. Without it, today, or `start_date` where that is tomorrow, as it is east of UTC.
                 * @example 2025-01-31
                 */
                end_date?: components["parameters"]["end_date"];
                /**
                 * @description Only visits made with this browser, ignoring case.
                 * @example Chrome
                 */
                browser?: components["parameters"]["browser"];
                /**
                 * @description Only visits made on this operating system, ignoring case.
                 * @example Windows
                 */
                os?: components["parameters"]["os"];
                /**
                 * @description Only visits from the country with this code, ignoring case.
                 * @example RS
                 */
                country?: components["parameters"]["country"];
                /**
                 * @description Only visitors whose ID, browser, operating system, country, country code, city or IP address contains this, ignoring case.
                 * @example belgrade
                 */
                search?: components["parameters"]["search"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Visitors of a range. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VisitorsResponse"];
                };
            };
            400: components["responses"]["InvalidDateOrParameter"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getVisitor: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The visitor.
                 * @example v_a1b2c3d4e5f6
                 */
                visitor_id: components["parameters"]["visitor_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A visitor with its history. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VisitorResponse"];
                };
            };
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["UnknownVisitor"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listLiveVisitors: {
        parameters: {
            query?: {
                /**
                 * @description How many minutes ago the latest sign of a visitor may be.
                 * @example 5
                 */
                threshold_minutes?: components["parameters"]["threshold_minutes"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Who is there now. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LiveVisitorsResponse"];
                };
            };
            400: components["responses"]["InvalidParameter"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listSessions: {
        parameters: {
            query?: {
                /**
                 * @description Which page. One past the end is empty.
                 * @example 1
                 */
                page?: components["parameters"]["page"];
                /**
                 * @description Rows a page. More than 100 is served as 100; what no JavaScript number holds is refused.
                 * @example 50
                 */
                limit?: components["parameters"]["limit"];
                /**
                 * @description The first day, UTC. Without it, the 30th day back from `end_date`, that one included. Not after `end_date`.
                 * @example 2025-01-01
                 */
                start_date?: components["parameters"]["start_date"];
                /**
                 * @description The last day, UTC, included. Without it, today, or `start_date` where that is tomorrow, as it is east of UTC.
                 * @example 2025-01-31
                 */
                end_date?: components["parameters"]["end_date"];
                /**
                 * @description Only of this visitor, even if it is a bot.
                 * @example v_a1b2c3d4e5f6
                 */
                visitor_id?: components["parameters"]["visitor_id_filter"];
                /**
                 * @description Only sessions whose landing page contains this, ignoring case.
                 * @example /pricing
                 */
                url?: components["parameters"]["landing_url"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Sessions of a range. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionsResponse"];
                };
            };
            400: components["responses"]["InvalidDateOrParameter"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The session.
                 * @example ses_abc123
                 */
                session_id: components["parameters"]["session_id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A session with its timeline. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionResponse"];
                };
            };
            401: components["responses"]["Unauthorized"];
            404: components["responses"]["UnknownSession"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listEvents: {
        parameters: {
            query?: {
                /**
                 * @description Which page. One past the end is empty.
                 * @example 1
                 */
                page?: components["parameters"]["page"];
                /**
                 * @description Rows a page. More than 100 is served as 100; what no JavaScript number holds is refused.
                 * @example 50
                 */
                limit?: components["parameters"]["limit"];
                /**
                 * @description The first day, UTC. Without it, the 30th day back from `end_date`, that one included. Not after `end_date`.
                 * @example 2025-01-01
                 */
                start_date?: components["parameters"]["start_date"];
                /**
                 * @description The last day, UTC, included. Without it, today, or `start_date` where that is tomorrow, as it is east of UTC.
                 * @example 2025-01-31
                 */
                end_date?: components["parameters"]["end_date"];
                /**
                 * @description Only events of this type.
                 * @example rage_click
                 */
                type?: components["parameters"]["event_type"];
                /**
                 * @description Only of this visitor, even if it is a bot.
                 * @example v_a1b2c3d4e5f6
                 */
                visitor_id?: components["parameters"]["visitor_id_filter"];
                /**
                 * @description Only of this session, even if it is a bot's.
                 * @example ses_abc123
                 */
                session_id?: components["parameters"]["session_id_filter"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events of a range. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventsResponse"];
                };
            };
            400: components["responses"]["InvalidDateOrParameter"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listEventTypes: {
        parameters: {
            query?: {
                /**
                 * @description The first day, UTC. Without it, the 30th day back from `end_date`, that one included. Not after `end_date`.
                 * @example 2025-01-01
                 */
                start_date?: components["parameters"]["start_date"];
                /**
                 * @description The last day, UTC, included. Without it, today, or `start_date` where that is tomorrow, as it is east of UTC.
                 * @example 2025-01-31
                 */
                end_date?: components["parameters"]["end_date"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events by type. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventTypesResponse"];
                };
            };
            400: components["responses"]["InvalidDate"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getStats: {
        parameters: {
            query?: {
                /**
                 * @description The first day, UTC. Without it, the 30th day back from `end_date`, that one included. Not after `end_date`.
                 * @example 2025-01-01
                 */
                start_date?: components["parameters"]["start_date"];
                /**
                 * @description The last day, UTC, included. Without it, today, or `start_date` where that is tomorrow, as it is east of UTC.
                 * @example 2025-01-31
                 */
                end_date?: components["parameters"]["end_date"];
                /**
                 * @description `day` adds `series`, the figures of each day.
                 * @example day
                 */
                interval?: components["parameters"]["interval"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The figures of a range. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatsResponse"];
                };
            };
            400: components["responses"]["InvalidDateOrParameter"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getTopPages: {
        parameters: {
            query?: {
                /**
                 * @description The first day, UTC. Without it, the 30th day back from `end_date`, that one included. Not after `end_date`.
                 * @example 2025-01-01
                 */
                start_date?: components["parameters"]["start_date"];
                /**
                 * @description The last day, UTC, included. Without it, today, or `start_date` where that is tomorrow, as it is east of UTC.
                 * @example 2025-01-31
                 */
                end_date?: components["parameters"]["end_date"];
                /**
                 * @description Rows of each ranking. More than 100 is served as 100.
                 * @example 10
                 */
                limit?: components["parameters"]["ranking_limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The most viewed pages. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PagesResponse"];
                };
            };
            400: components["responses"]["InvalidDateOrParameter"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getAcquisition: {
        parameters: {
            query?: {
                /**
                 * @description The first day, UTC. Without it, the 30th day back from `end_date`, that one included. Not after `end_date`.
                 * @example 2025-01-01
                 */
                start_date?: components["parameters"]["start_date"];
                /**
                 * @description The last day, UTC, included. Without it, today, or `start_date` where that is tomorrow, as it is east of UTC.
                 * @example 2025-01-31
                 */
                end_date?: components["parameters"]["end_date"];
                /**
                 * @description Rows of each ranking. More than 100 is served as 100.
                 * @example 10
                 */
                limit?: components["parameters"]["ranking_limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where sessions come from. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AcquisitionResponse"];
                };
            };
            400: components["responses"]["InvalidDateOrParameter"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getAudience: {
        parameters: {
            query?: {
                /**
                 * @description The first day, UTC. Without it, the 30th day back from `end_date`, that one included. Not after `end_date`.
                 * @example 2025-01-01
                 */
                start_date?: components["parameters"]["start_date"];
                /**
                 * @description The last day, UTC, included. Without it, today, or `start_date` where that is tomorrow, as it is east of UTC.
                 * @example 2025-01-31
                 */
                end_date?: components["parameters"]["end_date"];
                /**
                 * @description Rows of each ranking. More than 100 is served as 100.
                 * @example 10
                 */
                limit?: components["parameters"]["ranking_limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where visitors are, and with what they come. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AudienceResponse"];
                };
            };
            400: components["responses"]["InvalidDateOrParameter"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getMetrics: {
        parameters: {
            query?: {
                /**
                 * @description The first day, UTC. Without it, the 30th day back from `end_date`, that one included. Not after `end_date`.
                 * @example 2025-01-01
                 */
                start_date?: components["parameters"]["start_date"];
                /**
                 * @description The last day, UTC, included. Without it, today, or `start_date` where that is tomorrow, as it is east of UTC.
                 * @example 2025-01-31
                 */
                end_date?: components["parameters"]["end_date"];
                /**
                 * @description Rows of each ranking. More than 100 is served as 100.
                 * @example 10
                 */
                limit?: components["parameters"]["ranking_limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Web Vitals, and how visits go. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MetricsResponse"];
                };
            };
            400: components["responses"]["InvalidDateOrParameter"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getFrustration: {
        parameters: {
            query?: {
                /**
                 * @description The first day, UTC. Without it, the 30th day back from `end_date`, that one included. Not after `end_date`.
                 * @example 2025-01-01
                 */
                start_date?: components["parameters"]["start_date"];
                /**
                 * @description The last day, UTC, included. Without it, today, or `start_date` where that is tomorrow, as it is east of UTC.
                 * @example 2025-01-31
                 */
                end_date?: components["parameters"]["end_date"];
                /**
                 * @description Rows of each ranking. More than 100 is served as 100.
                 * @example 10
                 */
                limit?: components["parameters"]["ranking_limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The most frustrated visitors. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FrustrationResponse"];
                };
            };
            400: components["responses"]["InvalidDateOrParameter"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getClicks: {
        parameters: {
            query?: {
                /**
                 * @description The first day, UTC. Without it, the 30th day back from `end_date`, that one included. Not after `end_date`.
                 * @example 2025-01-01
                 */
                start_date?: components["parameters"]["start_date"];
                /**
                 * @description The last day, UTC, included. Without it, today, or `start_date` where that is tomorrow, as it is east of UTC.
                 * @example 2025-01-31
                 */
                end_date?: components["parameters"]["end_date"];
                /**
                 * @description Rows of each ranking. More than 100 is served as 100.
                 * @example 10
                 */
                limit?: components["parameters"]["ranking_limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Elements clicked in vain. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClicksResponse"];
                };
            };
            400: components["responses"]["InvalidDateOrParameter"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listErrors: {
        parameters: {
            query?: {
                /**
                 * @description The first day, UTC. Without it, the 30th day back from `end_date`, that one included. Not after `end_date`.
                 * @example 2025-01-01
                 */
                start_date?: components["parameters"]["start_date"];
                /**
                 * @description The last day, UTC, included. Without it, today, or `start_date` where that is tomorrow, as it is east of UTC.
                 * @example 2025-01-31
                 */
                end_date?: components["parameters"]["end_date"];
                /**
                 * @description Rows of each ranking. More than 100 is served as 100.
                 * @example 10
                 */
                limit?: components["parameters"]["ranking_limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Errors and warnings. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorGroupsResponse"];
                };
            };
            400: components["responses"]["InvalidDateOrParameter"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getForms: {
        parameters: {
            query?: {
                /**
                 * @description The first day, UTC. Without it, the 30th day back from `end_date`, that one included. Not after `end_date`.
                 * @example 2025-01-01
                 */
                start_date?: components["parameters"]["start_date"];
                /**
                 * @description The last day, UTC, included. Without it, today, or `start_date` where that is tomorrow, as it is east of UTC.
                 * @example 2025-01-31
                 */
                end_date?: components["parameters"]["end_date"];
                /**
                 * @description Rows of each ranking. More than 100 is served as 100.
                 * @example 10
                 */
                limit?: components["parameters"]["ranking_limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Forms that people leave. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FormsResponse"];
                };
            };
            400: components["responses"]["InvalidDateOrParameter"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getJourneys: {
        parameters: {
            query?: {
                /**
                 * @description The first day, UTC. Without it, the 30th day back from `end_date`, that one included. Not after `end_date`.
                 * @example 2025-01-01
                 */
                start_date?: components["parameters"]["start_date"];
                /**
                 * @description The last day, UTC, included. Without it, today, or `start_date` where that is tomorrow, as it is east of UTC.
                 * @example 2025-01-31
                 */
                end_date?: components["parameters"]["end_date"];
                /**
                 * @description Rows of each ranking. More than 100 is served as 100.
                 * @example 10
                 */
                limit?: components["parameters"]["ranking_limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ways through the site. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JourneysResponse"];
                };
            };
            400: components["responses"]["InvalidDateOrParameter"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listReading: {
        parameters: {
            query?: {
                /**
                 * @description The first day, UTC. Without it, the 30th day back from `end_date`, that one included. Not after `end_date`.
                 * @example 2025-01-01
                 */
                start_date?: components["parameters"]["start_date"];
                /**
                 * @description The last day, UTC, included. Without it, today, or `start_date` where that is tomorrow, as it is east of UTC.
                 * @example 2025-01-31
                 */
                end_date?: components["parameters"]["end_date"];
                /**
                 * @description Rows of each ranking. More than 100 is served as 100.
                 * @example 10
                 */
                limit?: components["parameters"]["ranking_limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How pages are read. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReadingResponse"];
                };
            };
            400: components["responses"]["InvalidDateOrParameter"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getSeo: {
        parameters: {
            query?: {
                /**
                 * @description The first day, UTC. Without it, the 30th day back from `end_date`, that one included. Not after `end_date`.
                 * @example 2025-01-01
                 */
                start_date?: components["parameters"]["start_date"];
                /**
                 * @description The last day, UTC, included. Without it, today, or `start_date` where that is tomorrow, as it is east of UTC.
                 * @example 2025-01-31
                 */
                end_date?: components["parameters"]["end_date"];
                /**
                 * @description Rows of each ranking. More than 100 is served as 100.
                 * @example 10
                 */
                limit?: components["parameters"]["ranking_limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What search engines will dislike. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SeoResponse"];
                };
            };
            400: components["responses"]["InvalidDateOrParameter"];
            401: components["responses"]["Unauthorized"];
            405: components["responses"]["MethodNotAllowed"];
            429: components["responses"]["RateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    collectBatch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Batch"];
            };
        };
        responses: {
            /** @description The batch is stored, or was before. */
            202: {
                headers: {
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CollectResponse"];
                };
            };
            400: components["responses"]["InvalidBatch"];
            401: components["responses"]["UnauthorizedBatch"];
            403: components["responses"]["OriginNotAllowed"];
            405: components["responses"]["BatchMethodNotAllowed"];
            413: components["responses"]["BatchTooLarge"];
            429: components["responses"]["Throttled"];
            500: components["responses"]["BatchInternalError"];
            503: components["responses"]["BatchUnavailable"];
        };
    };
    collectPreflight: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What a page may send. */
            204: {
                headers: {
                    "Access-Control-Allow-Origin": components["headers"]["Access-Control-Allow-Origin"];
                    /** @description The methods. */
                    "Access-Control-Allow-Methods": "POST, OPTIONS";
                    /** @description The headers. */
                    "Access-Control-Allow-Headers": "content-type";
                    /** @description For how many seconds the answer may be remembered. */
                    "Access-Control-Max-Age": 86400;
                    [name: string]: unknown;
                };
                content?: never;
            };
            405: components["responses"]["BatchMethodNotAllowed"];
        };
    };
    getScript: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of what the client holds.
                 * @example "0f343b0931126a20f133d67c2b018a3b"
                 */
                "If-None-Match"?: components["parameters"]["if_none_match"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Script"];
            304: components["responses"]["ScriptUnchanged"];
            405: components["responses"]["MethodNotAllowed"];
        };
    };
    getMoreScript: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of what the client holds.
                 * @example "0f343b0931126a20f133d67c2b018a3b"
                 */
                "If-None-Match"?: components["parameters"]["if_none_match"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Script"];
            304: components["responses"]["ScriptUnchanged"];
            405: components["responses"]["MethodNotAllowed"];
        };
    };
    getLiteScript: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of what the client holds.
                 * @example "0f343b0931126a20f133d67c2b018a3b"
                 */
                "If-None-Match"?: components["parameters"]["if_none_match"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Script"];
            304: components["responses"]["ScriptUnchanged"];
            405: components["responses"]["MethodNotAllowed"];
        };
    };
    getScriptOfVersion: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of what the client holds.
                 * @example "0f343b0931126a20f133d67c2b018a3b"
                 */
                "If-None-Match"?: components["parameters"]["if_none_match"];
            };
            path: {
                /**
                 * @description The deployed tracker's version.
                 * @example 0.1.0
                 */
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["VersionedScript"];
            304: components["responses"]["VersionedScriptUnchanged"];
            404: components["responses"]["UnknownVersion"];
            405: components["responses"]["MethodNotAllowed"];
        };
    };
    getMoreScriptOfVersion: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of what the client holds.
                 * @example "0f343b0931126a20f133d67c2b018a3b"
                 */
                "If-None-Match"?: components["parameters"]["if_none_match"];
            };
            path: {
                /**
                 * @description The deployed tracker's version.
                 * @example 0.1.0
                 */
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["VersionedScript"];
            304: components["responses"]["VersionedScriptUnchanged"];
            404: components["responses"]["UnknownVersion"];
            405: components["responses"]["MethodNotAllowed"];
        };
    };
    getLiteScriptOfVersion: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of what the client holds.
                 * @example "0f343b0931126a20f133d67c2b018a3b"
                 */
                "If-None-Match"?: components["parameters"]["if_none_match"];
            };
            path: {
                /**
                 * @description The deployed tracker's version.
                 * @example 0.1.0
                 */
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["VersionedScript"];
            304: components["responses"]["VersionedScriptUnchanged"];
            404: components["responses"]["UnknownVersion"];
            405: components["responses"]["MethodNotAllowed"];
        };
    };
    signIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignInRequest"];
            };
        };
        responses: {
            /** @description Who is signed in. */
            200: {
                headers: {
                    "Set-Cookie": components["headers"]["Set-Cookie"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonResponse"];
                };
            };
            400: components["responses"]["InvalidManagementBody"];
            401: components["responses"]["BadInvitation"];
            403: components["responses"]["OtherPage"];
            405: components["responses"]["ManagementMethodNotAllowed"];
            413: components["responses"]["ManagementBodyTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    signOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Nothing is read of it. Its content type is what no form of another site can have. */
        requestBody: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description Signed out. */
            204: {
                headers: {
                    "Set-Cookie": components["headers"]["Set-Cookie"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["SignedOut"];
            403: components["responses"]["OtherPage"];
            405: components["responses"]["ManagementMethodNotAllowed"];
            429: components["responses"]["PersonRateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Who is signed in, and which projects there are of those that they may see. */
            200: {
                headers: {
                    "Set-Cookie": components["headers"]["Set-Cookie"];
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MeResponse"];
                };
            };
            401: components["responses"]["SignedOut"];
            403: components["responses"]["OtherPage"];
            405: components["responses"]["ManagementMethodNotAllowed"];
            429: components["responses"]["PersonRateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listKeys: {
        parameters: {
            query: {
                /**
                 * @description The project.
                 * @example demo
                 */
                project: components["parameters"]["project"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys, the oldest first. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeysResponse"];
                };
            };
            400: components["responses"]["InvalidParameter"];
            401: components["responses"]["SignedOut"];
            403: components["responses"]["ForbiddenManagement"];
            404: components["responses"]["UnknownProject"];
            405: components["responses"]["ManagementMethodNotAllowed"];
            429: components["responses"]["PersonRateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    createKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KeyRequest"];
            };
        };
        responses: {
            /** @description The key. */
            201: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewKeyResponse"];
                };
            };
            400: components["responses"]["InvalidManagementBody"];
            401: components["responses"]["SignedOut"];
            403: components["responses"]["ForbiddenManagement"];
            404: components["responses"]["UnknownProject"];
            405: components["responses"]["ManagementMethodNotAllowed"];
            413: components["responses"]["ManagementBodyTooLarge"];
            429: components["responses"]["PersonRateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    revokeKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The key's `id`.
                 * @example c5c4aacb51bf
                 */
                id: components["parameters"]["key_id"];
            };
            cookie?: never;
        };
        /** @description Nothing is read of it. Its content type is what no form of another site can have. */
        requestBody: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description It is done. */
            204: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["SignedOut"];
            403: components["responses"]["ForbiddenManagement"];
            404: components["responses"]["UnknownKey"];
            405: components["responses"]["ManagementMethodNotAllowed"];
            429: components["responses"]["PersonRateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    rotateKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The key's `id`.
                 * @example c5c4aacb51bf
                 */
                id: components["parameters"]["key_id"];
            };
            cookie?: never;
        };
        /** @description Nothing is read of it. Its content type is what no form of another site can have. */
        requestBody: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description The new key. */
            201: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewKeyResponse"];
                };
            };
            401: components["responses"]["SignedOut"];
            403: components["responses"]["ForbiddenManagement"];
            404: components["responses"]["UnknownKey"];
            405: components["responses"]["ManagementMethodNotAllowed"];
            409: components["responses"]["KeyChanged"];
            429: components["responses"]["PersonRateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listProjects: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The projects, by identifier. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectsResponse"];
                };
            };
            401: components["responses"]["SignedOut"];
            403: components["responses"]["ForbiddenManagement"];
            405: components["responses"]["ManagementMethodNotAllowed"];
            429: components["responses"]["PersonRateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    createProject: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProjectRequest"];
            };
        };
        responses: {
            /** @description The project. */
            201: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectResponse"];
                };
            };
            400: components["responses"]["InvalidManagementBody"];
            401: components["responses"]["SignedOut"];
            403: components["responses"]["ForbiddenManagement"];
            405: components["responses"]["ManagementMethodNotAllowed"];
            409: components["responses"]["ProjectExists"];
            413: components["responses"]["ManagementBodyTooLarge"];
            429: components["responses"]["PersonRateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    updateProject: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The project.
                 * @example demo
                 */
                id: components["parameters"]["project_id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProjectChanges"];
            };
        };
        responses: {
            /** @description The project as it is now. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProjectResponse"];
                };
            };
            400: components["responses"]["InvalidManagementBody"];
            401: components["responses"]["SignedOut"];
            403: components["responses"]["ForbiddenManagement"];
            404: components["responses"]["UnknownProject"];
            405: components["responses"]["ManagementMethodNotAllowed"];
            413: components["responses"]["ManagementBodyTooLarge"];
            429: components["responses"]["PersonRateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listPeople: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The people, the latest first. */
            200: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PeopleResponse"];
                };
            };
            401: components["responses"]["SignedOut"];
            403: components["responses"]["ForbiddenManagement"];
            405: components["responses"]["ManagementMethodNotAllowed"];
            429: components["responses"]["PersonRateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    invitePerson: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InvitationRequest"];
            };
        };
        responses: {
            /** @description The link. It is shown this once. */
            201: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvitationResponse"];
                };
            };
            400: components["responses"]["InvalidManagementBody"];
            401: components["responses"]["SignedOut"];
            403: components["responses"]["ForbiddenManagement"];
            404: components["responses"]["UnknownProject"];
            405: components["responses"]["ManagementMethodNotAllowed"];
            413: components["responses"]["ManagementBodyTooLarge"];
            429: components["responses"]["PersonRateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    removePerson: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The person's `id`.
                 * @example 3fa94c0d11e2
                 */
                id: components["parameters"]["person_id"];
            };
            cookie?: never;
        };
        /** @description Nothing is read of it. Its content type is what no form of another site can have. */
        requestBody: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            /** @description It is done. */
            204: {
                headers: {
                    "RateLimit-Policy": components["headers"]["RateLimit-Policy"];
                    RateLimit: components["headers"]["RateLimit"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["SignedOut"];
            403: components["responses"]["ForbiddenManagement"];
            404: components["responses"]["UnknownPerson"];
            405: components["responses"]["ManagementMethodNotAllowed"];
            429: components["responses"]["PersonRateLimited"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getDashboard: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of what the client holds.
                 * @example "0f343b0931126a20f133d67c2b018a3b"
                 */
                "If-None-Match"?: components["parameters"]["if_none_match"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The document. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Vary: components["headers"]["Script-Vary"];
                    "Content-Security-Policy": components["headers"]["Content-Security-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            304: components["responses"]["DashboardUnchanged"];
            405: components["responses"]["MethodNotAllowed"];
        };
    };
    getAsset: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of what the client holds.
                 * @example "0f343b0931126a20f133d67c2b018a3b"
                 */
                "If-None-Match"?: components["parameters"]["if_none_match"];
            };
            path: {
                /**
                 * @description The file, as the document names it.
                 * @example app-DKOQ2F5T.js
                 */
                name: components["parameters"]["asset"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Vary: components["headers"]["Script-Vary"];
                    "Content-Security-Policy": components["headers"]["Content-Security-Policy"];
                    [name: string]: unknown;
                };
                content: {
                    "text/javascript": string;
                    "text/css": string;
                    "image/svg+xml": string;
                };
            };
            304: components["responses"]["DashboardUnchanged"];
            404: components["responses"]["UnknownAsset"];
            405: components["responses"]["MethodNotAllowed"];
        };
    };
    getDescription: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description This description. */
            200: {
                headers: {
                    /** @description It may be kept for an hour. */
                    "Cache-Control": "public, max-age=3600";
                    /** @description Any page may read it. */
                    "Access-Control-Allow-Origin": "*";
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenApiDocument"];
                };
            };
            405: components["responses"]["MethodNotAllowed"];
        };
    };
}
