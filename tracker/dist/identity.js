/* placeholder of the tracker */(()=>{"use strict";window.identity={q:[]}})();
/* placeholder of the tracker */(()=>{"use strict";window.identity={q:[]}})();
/* placeholder of the tracker */(()=>{"use strict";window.identity={q:[]}})();
/* placeholder of the tracker */(()=>{"use strict";window.identity={q:[]}})();
/* placeholder of the tracker */(()=>{"use strict";window.identity={q:[]}})();
/* placeholder of the tracker */(()=>{"use strict";window.identity={q:[]}})();
/* placeholder of the tracker */(()=>{"use strict";window.identity={q:[]}})();
/* placeholder of the tracker */(()=>{"use strict";window.identity={q:[]}})();
