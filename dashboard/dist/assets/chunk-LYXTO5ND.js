import{Ga as o,p as t}from"./chunk-ZNDH7PDC.js";var m=(a,n)=>{let{project:e,range:r}=t();return o(JSON.stringify([a,e,r]),p=>n({project:e,signal:p},r))};export{m as a};
