/* placeholder of the lite tracker */(()=>{"use strict"})();
/* placeholder of the lite tracker */(()=>{"use strict"})();
/* placeholder of the lite tracker */(()=>{"use strict"})();
/* placeholder of the lite tracker */(()=>{"use strict"})();
/* placeholder of the lite tracker */(()=>{"use strict"})();
/* placeholder of the lite tracker */(()=>{"use strict"})();
